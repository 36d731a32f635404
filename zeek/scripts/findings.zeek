##! Raises a notice for each kind of finding and server: what is wrong with the encryption of a mail session, as
##! docs/guides/findings.md defines it. Each type's comment says what to do about it. A notice of one type about one
##! server is suppressed for :zeek:see:`Notice::default_suppression_interval`, as notices are.
##!
##! Loaded only by sites that want it: ``@load mailtap/findings``.

@load base/frameworks/notice
@load ./main

module MailTap;

export {
	redef enum Notice::Type += {
		## A client's commands, or other text, came in the clear between STARTTLS and its hello. Look at who sent them: one
		## client that always does pipelines behind STARTTLS, which its vendor has to mend; otherwise somebody on the way
		## injects. Check that the server discards what it holds when TLS begins (CVE-2011-0411 and its like).
		Command_Injected,
		## Replies came in the clear between the acceptance of STARTTLS and the server's hello. The same against the client:
		## find out on which side of the sensor they arise, and update clients that take them for replies within TLS.
		Response_Injected,
		## An offer of STARTTLS, or a request for it, was overwritten. Look for a firewall with mail inspection between client
		## and server (fixup, ESMTP inspection) and let it pass STARTTLS; if there is none, somebody keeps clients from TLS.
		Starttls_Masked,
		## STARTTLS was accepted and text went on. Make sure that this is a mirror of a proxy that decrypts, and not a peer
		## that strips TLS; require TLS at the client.
		Plaintext_After_Accept,
		## An IMAP server greeted with PREAUTH, after which STARTTLS isn't allowed. Expected of a tunnel on the server's own
		## host only. Elsewhere have clients use TLS from the first byte (port 993).
		Preauth,
		## An IMAP server named another server, or a text for the user, before the login and without TLS. Compare the name with
		## your own servers': a client that follows logs in there. Have clients use TLS from the first byte.
		Referral,
		## A password could be read on the wire. Have its user change it, switch off logins without TLS at the server, and set
		## the client to TLS.
		Cleartext_Login,
		## A TLS handshake failed. Many from one client: a certificate that it doesn't trust, or versions too old. Of all
		## clients of a server: its certificate or its TLS settings.
		Tls_Failed,
		## Commands stood in a message behind a dot whose line ends aren't CR LF. Look in the server's log whether it took a
		## second message; if so update it or have it refuse bare line ends (CVE-2023-51764, -51765, -51766). Take the client
		## for hostile.
		Smuggled,
	};

	## The notice of each finding. What is removed raises none, as ``redef MailTap::finding_notices -= ["cleartext_login"]``
	## where logins in the clear are known.
	const finding_notices: table[string] of Notice::Type = {
		["command_injected"] = Command_Injected,
		["response_injected"] = Response_Injected,
		["starttls_masked"] = Starttls_Masked,
		["plaintext_after_accept"] = Plaintext_After_Accept,
		["preauth"] = Preauth,
		["referral"] = Referral,
		["cleartext_login"] = Cleartext_Login,
		["tls_failed"] = Tls_Failed,
		["smuggled"] = Smuggled,
	} &redef;
}

event session_ended(c: connection, session: Session)
	{
	if ( ! session?$findings )
		return;

	local server = fmt("%s:%d", session$server_h, port_to_count(session$server_p));
	for ( i in session$findings )
		{
		local finding = session$findings[i];
		if ( finding !in finding_notices )
			next;

		local text = fmt("%s: a session with the mail server %s", finding, server);
		NOTICE([$note=finding_notices[finding], $msg=text, $conn=c, $identifier=server]);
		}
	}
