##! Serves what MailTap publishes to Broker peers, on this machine only unless a site sets another address. Selects the
##! Broker backend: not for a cluster that uses another one.

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
	Broker::listen(broker_listen_address, broker_listen_port);
	}
