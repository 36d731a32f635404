##! Adds ``starttls`` and ``direction`` to smtp.log, and one row for each SMTP session that Zeek wouldn't log at all.

@load base/protocols/smtp
@load ./main

module MailTap;

redef record SMTP::Info += {
	## The furthest step towards TLS when the row was written: ``none``, ``offered``, ``requested``, ``refused``,
	## ``accepted`` or ``tls``.
	starttls: string &log &optional;
	## Whose packets were seen when the row was written: ``c2s``, ``s2c`` or ``bidirectional``.
	direction: string &log &optional;
};

redef record connection += {
	# Whether smtp.log has a row of the connection.
	mailtap_in_smtp_log: bool &default=F;
};

# Rows that Zeek writes while the session goes on. Those it writes at the end come after MailTap::session_ended, when
# the connection can't be looked up any more.
hook SMTP::log_policy(rec: SMTP::Info, id: Log::ID, filter: Log::Filter)
    &priority=10
	{
	if ( rec?$direction || ! connection_exists(rec$id) )
		return;

	local c = lookup_connection(rec$id);

	if ( c$uid != rec$uid )
		return;

	c$mailtap_in_smtp_log = T;
	local so_far = progress(c);

	if ( so_far?$starttls )
		rec$starttls = so_far$starttls;

	if ( so_far?$direction )
		rec$direction = so_far$direction;
	}

# In smtp.log addresses are sets.
function as_set(addresses: vector of string): set[string]
	{
	local result: set[string];

	for ( _, address in addresses )
		add result[address];

	return result;
	}

# A row for a session of which Zeek's own analyzer saw no client activity, or nothing.
function new_row(c: connection, session: Session): SMTP::Info
	{
	local row = SMTP::Info($ts=session$ts, $uid=session$uid, $id=session$id,
	    $trans_depth=1);
	row$path = vector(session$server_h, session$client_h);

	if ( session?$helo )
		row$helo = session$helo;

	if ( session?$last_reply )
		row$last_reply = session$last_reply;

	if ( session?$rcptto )
		row$rcptto = as_set(session$rcptto);

	if ( session?$to )
		row$to = as_set(session$to);

	if ( session?$mailfrom )
		row$mailfrom = session$mailfrom[-1];

	if ( session?$from )
		row$from = session$from[-1];

	if ( session?$subject )
		row$subject = session$subject;

	if ( session?$msg_id )
		row$msg_id = session$msg_id;

	if ( session?$user_agent )
		row$user_agent = session$user_agent;

	row$tls = session$starttls == "tls";
	return row;
	}

event MailTap::session_ended(c: connection, session: Session)
	{
	if ( c?$smtp )
		{
		c$smtp$starttls = session$starttls;
		c$smtp$direction = session$direction;
		}

	if ( ! session?$service
	    || session$service != "smtp"
	    || c$mailtap_in_smtp_log )
		return;

	if ( c?$smtp )
		{
		# Zeek writes it when the connection is removed, which is next.
		c$smtp$has_client_activity = T;
		return;
		}

	local row = new_row(c, session);
	row$starttls = session$starttls;
	row$direction = session$direction;
	Log::write(SMTP::LOG, row);
	}
