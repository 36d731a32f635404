##! What pop3.log and imap.log have in common.

@load ./main

module MailTap;

export {
	## A row of pop3.log or imap.log: a session with a mailbox.
	type Mailbox: record {
		## Time of the first packet.
		ts: time &log;
		## The connection's unique ID.
		uid: string &log;
		## The connection's 4-tuple.
		id: conn_id &log;
		## ``c2s``, ``s2c`` or ``bidirectional``: whose packets were seen, by mail role.
		direction: string &log;
		## The furthest step towards TLS: ``none``, ``offered``, ``requested``, ``refused``, ``accepted`` or ``tls``.
		starttls: string &log;
		## Text of the greeting.
		banner: string &log &optional;
		## Mechanism of the login.
		auth: string &log &optional;
		## ``success`` or ``failure``; unset when the answer was not seen.
		auth_result: string &log &optional;
		## User name; never a secret.
		user: string &log &optional;
		## Commands of the client.
		commands: count &log;
		## Verb of the last command.
		last_command: string &log &optional;
		## Replies of the server.
		replies: count &log;
		## The last reply, its last line as a whole.
		last_reply: string &log &optional;
		## The furthest stage of the session.
		stage: string &log;
		## Messages retrieved. One whose header or envelope alone was fetched counts, too.
		messages: count &log;
		## Addresses in From headers of what was retrieved.
		from: vector of string &log &optional;
		## Addresses in To headers of what was retrieved.
		to: vector of string &log &optional;
		## Subject of the last message.
		subject: string &log &optional;
		## Message-ID of the last message.
		msg_id: string &log &optional;
		## User-Agent or X-Mailer of the last message.
		user_agent: string &log &optional;
	};
}

function mailbox_row(session: Session): Mailbox
	{
	local row = Mailbox($ts=session$ts, $uid=session$uid, $id=session$id,
	    $direction=session$direction, $starttls=session$starttls,
	    $commands=session$commands, $replies=session$replies,
	    $stage=session$stage, $messages=session$messages);

	if ( session?$banner )
		row$banner = session$banner;

	if ( session?$auth )
		row$auth = session$auth;

	if ( session?$auth_result )
		row$auth_result = session$auth_result;

	if ( session?$user )
		row$user = session$user;

	if ( session?$last_command )
		row$last_command = session$last_command;

	if ( session?$last_reply )
		row$last_reply = session$last_reply;

	if ( session?$from )
		row$from = session$from;

	if ( session?$to )
		row$to = session$to;

	if ( session?$subject )
		row$subject = session$subject;

	if ( session?$msg_id )
		row$msg_id = session$msg_id;

	if ( session?$user_agent )
		row$user_agent = session$user_agent;

	return row;
	}
