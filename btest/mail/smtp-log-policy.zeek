# @TEST-DOC: Where a site's policy keeps a session out of smtp.log, MailTap writes no row in its stead.
# @TEST-EXEC: zeek -b -r $TRACES/smtp.pcap base/protocols/smtp $PACKAGE %INPUT
# @TEST-EXEC: test ! -e smtp.log
# @TEST-EXEC: zeek -b -r $TRACES/smtp-server.pcap base/protocols/smtp $PACKAGE %INPUT
# @TEST-EXEC: test ! -e smtp.log
# @TEST-EXEC: test -e mail_session.log

hook SMTP::log_policy(rec: SMTP::Info, id: Log::ID, filter: Log::Filter)
    &priority=20
	{
	break;
	}
