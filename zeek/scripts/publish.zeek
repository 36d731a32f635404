##! Publishes sessions and starts of TLS to whoever subscribed: one string per event, a JSON object.

@load base/frameworks/cluster
@load ./main

module MailTap;

export {
	## Topic of ended sessions. A subscription matches by its first bytes: the slash at the end keeps it apart from
	## longer names.
	const sessions_topic = "/mailtap/sessions/" &redef;

	## Topic of starts of TLS in mail sessions.
	const starttls_topic = "/mailtap/starttls/" &redef;

	## Published for each session that ended. Every node has to know it, or a client doesn't get it.
	##
	## line: The session as a JSON object.
	##
	## .. zeek:see:: MailTap::session_line
	global mail_session: event(line: string);

	## Published for each mail session that turned to TLS, with what was seen up to then.
	##
	## line: The session as a JSON object.
	##
	## .. zeek:see:: MailTap::session_line
	global mail_starttls: event(line: string);
}

# Where Broker carries the events of a cluster and its manager passes them on to whoever subscribed there (see broker.zeek):
# nodes hand them to the manager alone, on a topic of the cluster's own.
const handed_to_manager = F &redef;

# Zeek 8.1 and later have nobody to publish to unless a backend was loaded; before, Broker always is there.
function has_backend(): bool
	{
@ifdef ( Cluster::CLUSTER_BACKEND_NONE )
	return Cluster::backend != Cluster::CLUSTER_BACKEND_NONE;
@else
	return T;
@endif
	}

# When the node started: its numbers begin anew.
global started: time;

event zeek_init()
	{
	started = current_time();

	# Without its handlers an event isn't even built.
	if ( ! has_backend() )
		disable_event_group("mailtap-publish");
	}

event MailTap::session_ended(c: connection, session: Session) &priority=-5
    &group="mailtap-publish"
	{
	Cluster::publish(handed_to_manager ? Cluster::manager_topic : sessions_topic,
	    MailTap::mail_session, session_line(session, started));
	}

event MailTap::tls_started(c: connection, session: Session) &priority=-5
    &group="mailtap-publish"
	{
	Cluster::publish(handed_to_manager ? Cluster::manager_topic : starttls_topic,
	    MailTap::mail_starttls, session_line(session, started));
	}
