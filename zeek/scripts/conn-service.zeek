##! Lets conn.log's ``service`` name the mail protocol of each session that has a record, and no other one: Zeek's own
##! analyzers can't tell it from one side, and take a few lines of FTP or Redis on port 25 for SMTP.

@load ./main

module MailTap;

event MailTap::session_ended(c: connection, session: Session)
	{
	if ( |c$service| > 0 )
		{
		delete c$service["SMTP"];
		delete c$service["POP3"];
		delete c$service["IMAP"];
		}

	if ( session?$service )
		add c$service[to_upper(session$service)];
	}
