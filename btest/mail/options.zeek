# @TEST-DOC: What a site can decide: ports, thresholds, names left out, decode_as.
# @TEST-EXEC: zeek -b -r $TRACES/imap.pcap $PACKAGE %INPUT
# @TEST-EXEC: zeek-cut -m server_p service effective user subject decode_as community_id <mail_session.log >output
# @TEST-EXEC: zeek-cut -m user subject <imap.log >>output
# @TEST-EXEC: rm *.log
# @TEST-EXEC: zeek -b -r $TRACES/openvpn-port-143.pcap $PACKAGE %INPUT 'MailTap::imap_ports=set(993/tcp)'
# @TEST-EXEC: test ! -e mail_session.log
# @TEST-EXEC: btest-diff output

redef MailTap::effective_packets = 1000;
redef MailTap::log_users = F;
redef MailTap::log_subjects = F;
redef MailTap::community_id_seed = 1;

hook MailTap::decode_as(c: connection, session: MailTap::Session)
	{
	if ( session$server_p == 143/tcp )
		session$decode_as = "ARCHIVE";
	}
