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

event MailTap::session_ended(c: connection, session: Session) &priority=-5
	{
	if ( Cluster::backend != Cluster::CLUSTER_BACKEND_NONE )
		Cluster::publish(sessions_topic, MailTap::mail_session, session_line(
		    session));
	}

event MailTap::tls_started(c: connection, session: Session) &priority=-5
	{
	if ( Cluster::backend != Cluster::CLUSTER_BACKEND_NONE )
		Cluster::publish(starttls_topic, MailTap::mail_starttls, session_line(
		    session));
	}
