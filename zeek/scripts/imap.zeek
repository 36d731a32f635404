##! Writes imap.log, a row for each IMAP session.

@load ./log-stream
@load ./mailbox

module MailTap;

export {
	redef enum Log::ID += {
		## imap.log.
		IMAP_LOG,
	};

	## A default logging policy hook for the stream.
	global log_policy_imap: Log::PolicyHook;

	## Raised for each row of imap.log.
	##
	## row: The row.
	global log_imap: event(row: Mailbox);
}

event zeek_init() &priority=5
	{
	create_log(IMAP_LOG, Log::Stream($columns=Mailbox, $ev=log_imap, $path="imap",
	    $policy=log_policy_imap));
	}

event MailTap::session_ended(c: connection, session: Session) &priority=-5
	{
	if ( session?$service && session$service == "imap" )
		Log::write(IMAP_LOG, mailbox_row(session));
	}
