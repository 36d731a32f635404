# @TEST-DOC: A Zeek that reads a trace ends with it, though the site loads mailtap/live, and serves nobody.
# @TEST-PORT: WEBSOCKET_PORT
# @TEST-EXEC: timeout 60 zeek -b -r $TRACES/smtp.pcap $PACKAGE $PACKAGE/live.zeek %INPUT >output 2>&1
# @TEST-EXEC: test -e mail_session.log
# @TEST-EXEC: btest-diff output

redef MailTap::websocket_port = to_port(getenv("WEBSOCKET_PORT"));

event zeek_done()
	{
	print "ended";
	}
