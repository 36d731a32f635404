# @TEST-DOC: In a cluster over Broker a WebSocket client of the manager gets each event once, though broker.zeek passes it on.
# @TEST-PORT: WEBSOCKET_PORT
# @TEST-PORT: BROKER_PORT
# @TEST-PORT: MANAGER_PORT
# @TEST-PORT: WORKER_PORT
# @TEST-EXEC: mkdir packages && ln -s $PACKAGE packages/mailtap
# @TEST-EXEC: btest-bg-run manager "ZEEKPATH=$ZEEKPATH:..:../packages CLUSTER_NODE=manager until-done zeek -b ../broker-backend.zeek mailtap mailtap/broker mailtap/live ../manager.zeek"
# @TEST-EXEC: btest-bg-run client "subscribe ${WEBSOCKET_PORT%/tcp} 2 >output && touch ../done"
# @TEST-EXEC: btest-bg-run worker-1 "until test -e ../manager/client-added; do sleep 0.1; done; ZEEKPATH=$ZEEKPATH:..:../packages CLUSTER_NODE=worker-1 until-done zeek -b -r $TRACES/pop3-stls-client.pcap ../broker-backend.zeek mailtap mailtap/broker mailtap/live ../worker.zeek"
# @TEST-EXEC: btest-bg-wait 120
# @TEST-EXEC: btest-diff client/output

# @TEST-START-FILE broker-backend.zeek
# Before 8.1 it is the only backend.
@load base/misc/version
@if ( Version::at_least("8.1") )
@load policy/frameworks/cluster/backend/broker
@endif
@load base/frameworks/cluster
redef Broker::disable_ssl = T;
# @TEST-END-FILE

# @TEST-START-FILE cluster-layout.zeek
redef Cluster::manager_is_logger = T;
redef Cluster::nodes = {
	["manager"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1, $p=to_port(getenv(
	    "MANAGER_PORT"))],
	["worker-1"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1, $p=to_port(getenv(
	    "WORKER_PORT")), $manager="manager"],
};
# @TEST-END-FILE

# @TEST-START-FILE manager.zeek
redef exit_only_after_terminate = T;
redef MailTap::websocket_port = to_port(getenv("WEBSOCKET_PORT"));
redef MailTap::broker_listen_port = to_port(getenv("BROKER_PORT"));

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
