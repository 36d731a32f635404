# @TEST-DOC: A connection that says nothing on a mail port: an event where it is asked for, never a row.
# @TEST-EXEC: zeek -b -r $TRACES/silent-port-25.pcap $PACKAGE %INPUT >output
# @TEST-EXEC: echo asked for >>output
# @TEST-EXEC: zeek -b -r $TRACES/silent-port-25.pcap $PACKAGE %INPUT MailTap::silent_sessions=T >>output
# @TEST-EXEC: test ! -e mail_session.log
# @TEST-EXEC: btest-diff output

event MailTap::session_ended(c: connection, session: MailTap::Session)
	{
	print session$server_p, session$direction, session$client_pkts,
	    session$client_bytes, session$stage, session?$service;
	}
