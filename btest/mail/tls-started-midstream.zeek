# @TEST-DOC: What MailTap::tls_started reports while the client's first segments are still held: the bytes that came.
# @TEST-EXEC: zeek -b -r $TRACES/smtp-starttls-midstream.pcap $PACKAGE %INPUT >output
# @TEST-EXEC: btest-diff output

event MailTap::tls_started(c: connection, session: MailTap::Session)
	{
	print session$starttls, session$midstream, session$effective;
	print fmt("client: %d packets, %d bytes", session$client_pkts,
	    session$client_bytes);
	print fmt("server: %d packets, %d bytes", session$server_pkts,
	    session$server_bytes);
	}
