##! Writes mail_session.log: a row for each TCP connection that is mail, or says anything on a mail port. What conn.log
##! has of the silent ones is all there is to know.

@load ./main

module MailTap;

export {
	redef enum Log::ID += {
		## mail_session.log.
		LOG,
	};

	## A default logging policy hook for the stream.
	global log_policy: Log::PolicyHook;

	## Raised for each row of mail_session.log.
	##
	## session: The row.
	global log_mail_session: event(session: Session);
}

event zeek_init() &priority=5
	{
	Log::create_stream(LOG, Log::Stream($columns=Session, $ev=log_mail_session,
	    $path="mail_session", $policy=log_policy));
	}

event MailTap::session_ended(c: connection, session: Session) &priority=-5
	{
	if ( session$client_bytes + session$server_bytes > 0 )
		Log::write(LOG, session);
	}
