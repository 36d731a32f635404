##! What a site decides about mail sessions and their records.

@load ./types

module MailTap;

export {
	## Ports on which SMTP is expected. On a mail port every TCP session that says anything has a record, weaker evidence
	## of the protocol is enough, and of a connection whose beginning was not seen the end with that port is the responder.
	const smtp_ports: set[port] = {
		25/tcp,
		465/tcp,
		587/tcp
	} &redef;

	## Ports on which POP3 is expected.
	const pop3_ports: set[port] = {
		110/tcp,
		995/tcp
	} &redef;

	## Ports on which IMAP is expected.
	const imap_ports: set[port] = {
		143/tcp,
		993/tcp
	} &redef;

	## Whether connections that say nothing on a mail port raise :zeek:see:`MailTap::session_ended` too. Whoever joins
	## published sessions with labels needs them; the logs don't, since conn.log has all there is to know.
	const silent_sessions = F &redef;

	## Whether TLS that Zeek's own analyzers don't follow is given to its TLS analyzer: STARTTLS of which one direction only
	## was seen, for the most part. Such sessions then have a row in ssl.log, and one in x509.log for a certificate in the
	## clear, and raise the events of TLS, as any other; conn.log's *service* says ``ssl``, too. Zeek's
	## TLS analyzer reads nothing of a connection whose handshake (TCP's) wasn't seen.
	const follow_tls = T &redef;

	## A session with more packets than this, and more payload bytes than
	## :zeek:see:`MailTap::effective_bytes`, is effective.
	option effective_packets: count = 3;

	## See :zeek:see:`MailTap::effective_packets`.
	option effective_bytes: count = 5;

	## The seed of Community IDs. Everything that is to be joined with MailTap's records has to use the same.
	option community_id_seed: count = 0;

	## Addresses kept of each of the four kinds. The decoder keeps 64 at most.
	option max_addresses: count = 64;

	## Whether records, logs and published events carry user names.
	option log_users: bool = T;

	## Whether records, logs and published events carry subjects. Zeek's own column in smtp.log isn't touched.
	option log_subjects: bool = T;

	## Decides a session's *decode_as*, as soon as its record is made. What the decoder says is set already; handlers may
	## replace it.
	##
	## c: The connection.
	##
	## session: The session.
	global decode_as: hook(c: connection, session: Session);
}
