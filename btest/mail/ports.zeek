# @TEST-DOC: A port that a site adds after the package is loaded is a mail port everywhere: the server is the responder, too.
# @TEST-EXEC: zeek -b -r $TRACES/smtp-midstream-port-2626.pcap base/protocols/conn $PACKAGE %INPUT
# @TEST-EXEC: zeek-cut -m id.orig_p id.resp_p service <conn.log >output
# @TEST-EXEC: zeek-cut -m id.resp_p client_p server_p service midstream mailfrom <mail_session.log >>output
# @TEST-EXEC: btest-diff output

redef MailTap::smtp_ports += {2626/tcp};
