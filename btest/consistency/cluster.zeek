# @TEST-DOC: In a cluster the manager takes verdicts: whoever sends one, it is one row.
# @TEST-PORT: XPUB_PORT
# @TEST-PORT: XSUB_PORT
# @TEST-PORT: LOG_PULL_PORT
# @TEST-EXEC: btest-bg-run manager "ZEEKPATH=$ZEEKPATH:.. CLUSTER_NODE=manager zeek -b $FILES/zeromq-ports.zeek $PACKAGE/consistency ../manager.zeek"
# @TEST-EXEC: btest-bg-run worker-1 "ZEEKPATH=$ZEEKPATH:.. CLUSTER_NODE=worker-1 zeek -b $FILES/zeromq-ports.zeek $PACKAGE/consistency ../worker.zeek"
# @TEST-EXEC: btest-bg-run worker-2 "ZEEKPATH=$ZEEKPATH:.. CLUSTER_NODE=worker-2 zeek -b $FILES/zeromq-ports.zeek $PACKAGE/consistency ../worker.zeek"
# @TEST-EXEC: btest-bg-wait 120
# @TEST-EXEC: zeek-cut sensor verdict <manager/mail_consistency.log >rows
# @TEST-EXEC: btest-diff rows

# @TEST-START-FILE manager.zeek
redef exit_only_after_terminate = T;
redef Log::default_rotation_interval = 0sec;

global ready: event() &is_used;
global finish: event() &is_used;
global ended: event();
global workers = 0;

event Cluster::node_up(name: string, id: string)
	{
	if ( ++workers == 2 )
		Cluster::publish(Cluster::worker_topic, ready);
	}

event finish()
	{
	Cluster::publish(Cluster::worker_topic, finish);
	schedule 1sec { ended() };
	}

event ended()
	{
	terminate();
	}

event MailTap::verdict_received(verdict: MailTap::Verdict)
	{
	# Rows that a worker wrote would come within this time.
	if ( verdict$sensor == "last" )
		schedule 2sec { finish() };
	}
# @TEST-END-FILE

# @TEST-START-FILE worker.zeek
redef exit_only_after_terminate = T;

global ready: event() &is_used;
global finish: event() &is_used;

event ready()
	{
	if ( Cluster::node != "worker-1" )
		return;

	for ( _, sensor in vector("first", "last") )
		Cluster::publish(MailTap::verdicts_topic, MailTap::mail_verdict, fmt("{\"v\": 1, \"ts\": 1, \"sensor\": \"%s\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\"}",
		    sensor));
	}

event finish()
	{
	terminate();
	}
# @TEST-END-FILE

# @TEST-START-FILE cluster-layout.zeek
redef Cluster::manager_is_logger = T;
redef Cluster::nodes = {
	["manager"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1, $p=to_port(getenv(
	    "LOG_PULL_PORT"))],
	["worker-1"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1],
	["worker-2"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1],
};
# @TEST-END-FILE
