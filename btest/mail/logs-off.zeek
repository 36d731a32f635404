# @TEST-DOC: Each log can be filtered by its policy hook, and raises its event.
# @TEST-EXEC: zeek -b -r $TRACES/pop3.pcap $PACKAGE %INPUT >output
# @TEST-EXEC: test ! -e mail_session.log
# @TEST-EXEC: test -e pop3.log
# @TEST-EXEC: btest-diff output

hook MailTap::log_policy(rec: MailTap::Session, id: Log::ID,
    filter: Log::Filter)
	{
	break;
	}

event MailTap::log_pop3(row: MailTap::Mailbox)
	{
	print row$user, row$messages;
	}
