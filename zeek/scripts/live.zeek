##! Serves what MailTap publishes to WebSocket clients, on this machine only: 127.0.0.1:27759, on the manager in a
##! cluster. Anyone who can connect can also send events: keep it on the loopback interface.
##!
##! zeekctl of Zeek 8.1 and later serves the same without this script. A single Zeek process there gets the ZeroMQ
##! backend unless another one was loaded before; see policy/frameworks/cluster/websocket/server for its settings.

@load base/frameworks/cluster
@load base/misc/version
@load ./publish

# Labels may be of these too.
redef MailTap::silent_sessions = T;

@if ( ! Cluster::is_enabled() && Version::at_least("8.1") )
@load policy/frameworks/cluster/websocket/server
@else

module MailTap;

export {
	## The port to serve WebSocket clients on.
	const websocket_port = 27759/tcp &redef;
}

event zeek_init()
	{
	if ( ! Cluster::is_enabled()
	    || Cluster::local_node_type() == Cluster::MANAGER )
		Cluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port=websocket_port]);
	}
@endif
