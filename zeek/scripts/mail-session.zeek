##! Writes mail_session.log: a row for each TCP connection that is mail, or says anything on a mail port. What conn.log
##! has of the silent ones is all there is to know.

@load ./log-stream
@load ./main

module MailTap;

export {
	redef enum Log::ID += {
		## mail_session.log.
		LOG,
	};

	## Whether mail_session.log has the columns of TLS, which ssl.log and x509.log have for connections that Zeek's own
	## analyzer follows. Published events have them in any case.
	const log_tls = F &redef;

	## A default logging policy hook for the stream.
	global log_policy: Log::PolicyHook;

	## Raised for each row of mail_session.log.
	##
	## session: The row.
	global log_mail_session: event(session: Session);
}

const tls_columns = set("tls_version", "tls_cipher", "sni", "alpn", "ja4",
    "cert_subject", "cert_issuer", "cert_names", "cert_not_before",
    "cert_not_after", "cert_self_signed");

event zeek_init() &priority=5
	{
	create_log(LOG, Log::Stream($columns=Session, $ev=log_mail_session,
	    $path="mail_session", $policy=log_policy), log_tls ? set() :
	    tls_columns);
	}

event MailTap::session_ended(c: connection, session: Session) &priority=-5
	{
	if ( session$client_bytes + session$server_bytes > 0 )
		Log::write(LOG, session);
	}
