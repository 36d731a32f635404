##! Serves what MailTap publishes to WebSocket clients, on this machine only: 127.0.0.1:27759, on the manager in a
##! cluster. Anyone who can connect can also send events: keep it on the loopback interface, or have clients show
##! certificates (:zeek:see:`MailTap::websocket_tls`).
##!
##! zeekctl of Zeek 8.1 and later serves the same without this script. A single Zeek process there has no cluster backend,
##! which serving needs: it gets ZeroMQ, unless another one was loaded before. A Zeek that reads a trace serves nobody, and
##! ends with the trace.

@load base/frameworks/cluster
@load base/misc/version
@load ./publish

# Labels may be of these too.
redef MailTap::silent_sessions = T;

module MailTap;

export {
	## The port to serve WebSocket clients on.
	const websocket_port = 27759/tcp &redef;

	## TLS for WebSocket clients (wss://). With certificates that clients have to show, no page in a browser can connect:
	## Zeek itself accepts connections from any page, whatever its origin.
	const websocket_tls = Cluster::WebSocketTLSOptions() &redef;

	## Whether a Zeek that reads a trace serves clients, too. It then goes on when the trace has ended, and needs a cluster
	## backend that was loaded for it.
	const serve_while_reading_traces = F &redef;
}

# While scripts are loaded reading_traces() isn't known yet, and a backend can't be left out later.
global is_told_to_read_a_trace: function(): bool &is_used;

function is_told_to_read_a_trace(): bool
	{
	for ( _, argument in zeek_args() )
		if ( /-[abdhmuvCDFMNPQSVW]*r.*|--readfile(=.*)?/ == argument )
			return T;

	return F;
	}

@if ( ! Cluster::is_enabled() && Version::at_least("8.1") && ! is_told_to_read_a_trace() )
@if ( Cluster::backend == Cluster::CLUSTER_BACKEND_NONE )
@load frameworks/cluster/backend/zeromq
redef Cluster::Backend::ZeroMQ::run_proxy_thread = T;
@endif
@endif

# Last, when the backend is there.
event zeek_init() &priority=-100
	{
	if ( reading_traces() && ! serve_while_reading_traces )
		return;

	if ( Cluster::is_enabled() && Cluster::local_node_type() != Cluster::MANAGER )
		return;

	if ( ! Cluster::listen_websocket([$listen_addr=127.0.0.1,
	    $listen_port=websocket_port, $tls_options=websocket_tls]) )
		Reporter::error(fmt("MailTap serves no WebSocket clients: can't listen on 127.0.0.1:%d; set MailTap::websocket_port",
		    port_to_count(websocket_port)));
	}
