# @TEST-DOC: What a worker publishes reaches a WebSocket client of the manager.
# @TEST-PORT: WEBSOCKET_PORT
# @TEST-PORT: XPUB_PORT
# @TEST-PORT: XSUB_PORT
# @TEST-PORT: LOG_PULL_PORT
# @TEST-EXEC: mkdir packages && ln -s $PACKAGE packages/mailtap
# @TEST-EXEC: btest-bg-run manager "ZEEKPATH=$ZEEKPATH:..:../packages CLUSTER_NODE=manager until-done zeek -b $FILES/zeromq-ports.zeek mailtap mailtap/live ../manager.zeek"
# @TEST-EXEC: btest-bg-run logger "ZEEKPATH=$ZEEKPATH:..:../packages CLUSTER_NODE=logger until-done zeek -b $FILES/zeromq-ports.zeek mailtap exit_only_after_terminate=T"
# @TEST-EXEC: btest-bg-run client "subscribe ${WEBSOCKET_PORT%/tcp} 2 >output && touch ../done"
# @TEST-EXEC: btest-bg-run worker-1 "until test -e ../manager/client-added; do sleep 0.1; done; ZEEKPATH=$ZEEKPATH:..:../packages CLUSTER_NODE=worker-1 until-done zeek -b -r $TRACES/pop3-stls-client.pcap $FILES/zeromq-ports.zeek mailtap mailtap/live ../worker.zeek"
# @TEST-EXEC: btest-bg-wait 120
# @TEST-EXEC: btest-diff client/output

# @TEST-START-FILE cluster-layout.zeek
redef Cluster::manager_is_logger = F;
redef Cluster::nodes = {
	["manager"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1],
	["logger"] = [$node_type=Cluster::LOGGER, $ip=127.0.0.1, $p=to_port(getenv(
	    "LOG_PULL_PORT"))],
	["worker-1"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1],
};
# @TEST-END-FILE

# @TEST-START-FILE manager.zeek
redef exit_only_after_terminate = T;
redef MailTap::websocket_port = to_port(getenv("WEBSOCKET_PORT"));

global ready: event() &is_used;
event Cluster::websocket_client_added(endpoint: Cluster::EndpointInfo,
    subscriptions: string_vec)
	{
	close(open("client-added"));
	}

event Cluster::node_up(name: string, id: string)
	{
	if ( name == "worker-1" )
		Cluster::publish(Cluster::worker_topic, ready);
	}
# @TEST-END-FILE

# @TEST-START-FILE worker.zeek
redef exit_only_after_terminate = T;
redef tcp_close_delay = 0sec;

global ready: event() &is_used;

event zeek_init()
	{
	suspend_processing();
	}

event ready()
	{
	continue_processing();
	}
	# @TEST-END-FILE
