##! Writes pop3.log, a row for each POP3 session.

@load ./log-stream
@load ./mailbox

module MailTap;

export {
	redef enum Log::ID += {
		## pop3.log.
		POP3_LOG,
	};

	## A default logging policy hook for the stream.
	global log_policy_pop3: Log::PolicyHook;

	## Raised for each row of pop3.log.
	##
	## row: The row.
	global log_pop3: event(row: Mailbox);
}

event zeek_init() &priority=5
	{
	create_log(POP3_LOG, Log::Stream($columns=Mailbox, $ev=log_pop3, $path="pop3",
	    $policy=log_policy_pop3));
	}

event MailTap::session_ended(c: connection, session: Session) &priority=-5
	{
	if ( session?$service && session$service == "pop3" )
		Log::write(POP3_LOG, mailbox_row(session));
	}
