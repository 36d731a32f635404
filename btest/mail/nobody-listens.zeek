# @TEST-DOC: Without a handler of its events the analyzer isn't attached; with one, each event is built for it alone.
# @TEST-EXEC: zeek -b -r $TRACES/smtp-starttls.pcap base/protocols/conn %INPUT >output
# @TEST-EXEC: zeek -b -r $TRACES/smtp-starttls.pcap base/protocols/conn %INPUT tls.zeek >>output
# @TEST-EXEC: btest-diff output

@load-plugin MailTap::Sessions

# @TEST-START-FILE tls.zeek
event MailTap::tls_started(c: connection, session: MailTap::Session)
	{
	print "TLS", session$seq, session?$community_id;
	}
# @TEST-END-FILE

event connection_state_remove(c: connection)
	{
	print MailTap::progress(c);
	}

event connection_established(c: connection)
	{
	print MailTap::progress(c);
	}
