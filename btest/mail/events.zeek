# @TEST-DOC: The events and what they carry: TLS as soon as it starts, the session before the connection is removed.
# @TEST-EXEC: zeek -b -r $TRACES/smtp-starttls-client.pcap base/protocols/smtp $PACKAGE %INPUT >output
# @TEST-EXEC: btest-diff output

event MailTap::tls_started(c: connection, session: MailTap::Session)
	{
	print "TLS started", network_time(), MailTap::session_line(session,
	    double_to_time(1.5));
	}

event MailTap::session_ended(c: connection, session: MailTap::Session)
	{
	print "session ended", session$starttls, session$seq;
	}

event connection_state_remove(c: connection)
	{
	print "connection removed", c$service;
	}
