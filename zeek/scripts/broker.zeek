##! Serves what MailTap publishes to Broker peers, on this machine only unless a site sets another address; in a cluster
##! the manager does, for all nodes. Selects the Broker backend: not for a cluster that uses another one.

@load base/frameworks/broker
@load base/misc/version
@load ./publish

# Labels may be of these too.
redef MailTap::silent_sessions = T;

# Before 8.1 it is the only backend.
@if ( Version::at_least("8.1") )
@load policy/frameworks/cluster/backend/broker
@endif

module MailTap;

export {
	## The address to listen on.
	const broker_listen_address = "127.0.0.1" &redef;

	## The port to listen on.
	const broker_listen_port: port = 9999/tcp &redef;
}

event zeek_init()
	{
	if ( ! Cluster::is_enabled() )
		Broker::listen(broker_listen_address, broker_listen_port);
	}

# Workers are peers of the manager, and Broker does not pass on by itself what comes from them. (It could be told to, but
# then passes on the events of any other script, too.) They don't use the topics that clients subscribe to: a client of the
# manager's WebSocket server, which subscribes at the same Broker, would get each event twice.
@if ( Cluster::is_enabled() && Cluster::local_node_type() != Cluster::MANAGER )
redef MailTap::handed_to_manager = T;
@endif

@if ( Cluster::is_enabled() && Cluster::local_node_type() == Cluster::MANAGER )
event zeek_init()
	{
	Broker::listen(broker_listen_address, broker_listen_port);
	}

event MailTap::mail_session(line: string)
	{
	Broker::publish(sessions_topic, MailTap::mail_session, line);
	}

event MailTap::mail_starttls(line: string)
	{
	Broker::publish(starttls_topic, MailTap::mail_starttls, line);
	}
@endif
