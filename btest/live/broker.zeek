# @TEST-DOC: A Broker peer of a single Zeek gets the start of TLS, and the session when it ends.
# @TEST-PORT: BROKER_PORT
# @TEST-EXEC: mkdir packages && ln -s $PACKAGE packages/mailtap
# @TEST-EXEC: btest-bg-run zeek "ZEEKPATH=$ZEEKPATH:$PWD/packages zeek -b -r $TRACES/smtp-starttls-client.pcap mailtap mailtap/broker %INPUT"
# @TEST-EXEC: btest-bg-run client "ZEEKPATH=$ZEEKPATH:$PWD/packages zeek -b mailtap/publish ../client.zeek >output"
# @TEST-EXEC: btest-bg-wait 120
# @TEST-EXEC: btest-diff client/output

# @TEST-START-FILE client.zeek
redef exit_only_after_terminate = T;

event zeek_init()
	{
	Broker::subscribe("/mailtap/");
	Broker::peer("127.0.0.1", to_port(getenv("BROKER_PORT")), 1sec);
	}

event MailTap::mail_starttls(line: string)
	{
	print "TLS started", "\"service\":\"smtp\"" in line;
	}

event MailTap::mail_session(line: string)
	{
	print "session ended", "\"starttls\":\"tls\"" in line;
	terminate();
	}
# @TEST-END-FILE

redef exit_only_after_terminate = T;
redef MailTap::broker_listen_port = to_port(getenv("BROKER_PORT"));
# Time stands still after the last packet: the connection has to end by itself.
redef tcp_close_delay = 0sec;

event zeek_init()
	{
	suspend_processing();
	}

event Broker::peer_added(endpoint: Broker::EndpointInfo, msg: string)
	{
	continue_processing();
	}

event Broker::peer_lost(endpoint: Broker::EndpointInfo, msg: string)
	{
	terminate();
	}
