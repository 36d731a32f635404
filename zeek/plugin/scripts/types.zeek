##! The record of a mail session.

module MailTap;

export {
	## A mail session. The same fields as in the lines of ``mailtap analyze --sessions``.
	type Session: record {
		## Time of the first packet.
		ts: time &log;
		## From the first to the last packet.
		duration: interval &log;
		## The connection's unique ID.
		uid: string &log;
		## The connection's 4-tuple, by TCP role as in conn.log.
		id: conn_id &log;
		## Community ID v1.
		community_id: string &log &optional;
		## The mail client: by what was said, else by the handshake, else by port.
		client_h: addr &log;
		## The mail client's port.
		client_p: port &log;
		## The mail server.
		server_h: addr &log;
		## The mail server's port.
		server_p: port &log;
		## ``smtp``, ``pop3`` or ``imap``; unset when no mail was recognised.
		service: string &log &optional;
		## ``c2s``, ``s2c`` or ``bidirectional``: whose packets were seen, by mail role.
		direction: string &log;
		## The furthest step towards TLS: ``none``, ``offered``, ``requested``, ``refused``, ``accepted`` or ``tls``.
		starttls: string &log;
		## TLS from the first byte.
		implicit_tls: bool &log;
		## ``http`` or ``socks`` when the mail came in a proxy's tunnel.
		tunnel: string &log &optional;
		## ``MAIL``, ``BASE``, ``SSL`` or ``HTTP``.
		##
		## .. zeek:see:: MailTap::decode_as
		decode_as: string &log;
		## More packets and payload bytes than :zeek:see:`MailTap::effective_packets` and
		## :zeek:see:`MailTap::effective_bytes`.
		effective: bool &log;
		## Packets of the client.
		client_pkts: count &log;
		## Payload bytes of the client, each once.
		client_bytes: count &log;
		## Packets of the server.
		server_pkts: count &log;
		## Payload bytes of the server, each once.
		server_bytes: count &log;
		## Payload bytes known to be missing.
		gap_bytes: count &log;
		## The handshake was not seen.
		midstream: bool &log;
		## Argument of the last EHLO, HELO or LHLO that has one.
		helo: string &log &optional;
		## Envelope senders; the null sender is ``<>``.
		mailfrom: vector of string &log &optional;
		## Envelope recipients.
		rcptto: vector of string &log &optional;
		## Addresses in From headers.
		from: vector of string &log &optional;
		## Addresses in To headers.
		to: vector of string &log &optional;
		## Subject of the last message.
		subject: string &log &optional;
		## Message-ID of the last message.
		msg_id: string &log &optional;
		## User-Agent or X-Mailer of the last message, or User-Agent of the tunnel's HTTP request.
		user_agent: string &log &optional;
		## MAIL commands, refused ones too.
		mailfrom_count: count &log;
		## RCPT commands, refused ones too.
		rcptto_count: count &log;
		## Mechanism of the login.
		auth: string &log &optional;
		## ``success`` or ``failure``; unset when the answer was not seen.
		auth_result: string &log &optional;
		## User name; never a secret.
		user: string &log &optional;
		## Messages delivered or retrieved. One whose header or envelope alone was fetched counts, too.
		messages: count &log;
		## Commands of the client.
		commands: count &log;
		## Replies of the server.
		replies: count &log;
		## Verb of the last command.
		last_command: string &log &optional;
		## The last reply, its last line as a whole.
		last_reply: string &log &optional;
		## Text of the greeting.
		banner: string &log &optional;
		## The furthest stage: ``connect``, ``greeting``, ``hello``, ``auth``, ``envelope``, ``data``, ``delivered``,
		## ``retrieved`` or ``logout``.
		stage: string &log;
		## What is wrong with the session's encryption: names of docs/guides/findings.md.
		findings: vector of string &log &optional;
		## Version of TLS, after an upgrade or from the first byte: the one chosen, of a client alone the highest offered.
		tls_version: string &log &optional;
		## Cipher suite that the server chose.
		tls_cipher: string &log &optional;
		## Server name that the client asked for.
		sni: string &log &optional;
		## Application protocol that the server chose, or those that the client offered.
		alpn: string &log &optional;
		## JA4 fingerprint of the client.
		ja4: string &log &optional;
		## Subject of the server's certificate, which is in the clear up to TLS 1.2.
		cert_subject: string &log &optional;
		## Its issuer.
		cert_issuer: string &log &optional;
		## Names that it is for.
		cert_names: vector of string &log &optional;
		## Start of its validity.
		cert_not_before: time &log &optional;
		## End of its validity.
		cert_not_after: time &log &optional;
		## Its issuer is its subject.
		cert_self_signed: bool &log &optional;
		## Why a mail session has no addresses.
		empty_cause: string &log &optional;
		## The node that saw it.
		node: string &log;
		## The node's running number of the record.
		seq: count &log;
	};

	## How far a session has come that goes on: what each row of smtp.log tells. Unset for a session without a record.
	type Progress: record {
		## See :zeek:see:`MailTap::Session`.
		starttls: string &optional;
		## See :zeek:see:`MailTap::Session`.
		direction: string &optional;
	};
}
