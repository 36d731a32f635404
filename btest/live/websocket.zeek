# @TEST-DOC: A WebSocket client of a single Zeek gets the start of TLS, and the session when it ends.
# @TEST-PORT: WEBSOCKET_PORT
# @TEST-PORT: XPUB_PORT
# @TEST-PORT: XSUB_PORT
# @TEST-EXEC: mkdir packages && ln -s $PACKAGE packages/mailtap
# @TEST-EXEC: btest-bg-run zeek "ZEEKPATH=$ZEEKPATH:$PWD/packages zeek -b -r $TRACES/smtp-starttls-client.pcap $FILES/zeromq-ports.zeek mailtap mailtap/live %INPUT"
# @TEST-EXEC: btest-bg-run client "subscribe ${WEBSOCKET_PORT%/tcp} 2 >output"
# @TEST-EXEC: btest-bg-wait 120
# @TEST-EXEC: btest-diff client/output

# Zeek's script for a single process leaves this to whoever chose the backend.
redef Cluster::Backend::ZeroMQ::run_proxy_thread = T;
redef MailTap::websocket_port = to_port(getenv("WEBSOCKET_PORT"));
redef MailTap::serve_while_reading_traces = T;

redef exit_only_after_terminate = T;
# Time stands still after the last packet: the connection has to end by itself.
redef tcp_close_delay = 0sec;

event zeek_init()
	{
	suspend_processing();
	}

event Cluster::websocket_client_added(endpoint: Cluster::EndpointInfo,
    subscriptions: string_vec)
	{
	continue_processing();
	}

event Cluster::websocket_client_lost(endpoint: Cluster::EndpointInfo,
    code: count, reason: string)
	{
	terminate();
	}
