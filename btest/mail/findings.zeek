# @TEST-DOC: A notice for each finding, once for a server; none of a finding that a site takes out.
# @TEST-EXEC: zeek -b -r $TRACES/findings.pcap base/protocols/conn base/protocols/smtp base/protocols/pop3 base/protocols/imap base/protocols/ssl $PACKAGE $PACKAGE/findings.zeek
# @TEST-EXEC: zeek-cut id.orig_p findings <mail_session.log | sort >output
# @TEST-EXEC: zeek-cut note msg <notice.log | sort >>output
# @TEST-EXEC: zeek -b -r $TRACES/findings.pcap $PACKAGE $PACKAGE/findings.zeek %INPUT
# @TEST-EXEC: ! grep Cleartext_Login notice.log
# @TEST-EXEC: btest-diff output

redef MailTap::finding_notices -= table(["cleartext_login"] =
    MailTap::Cleartext_Login);
