##! Completes the record of each mail session with what a site decides.

@load-plugin MailTap::Sessions

@load base/frameworks/cluster

module MailTap;

export {
	## The seed of Community IDs. Everything that is to be joined with MailTap's records has to use the same.
	option community_id_seed: count = 0;

	## Addresses kept of each of the four kinds. The decoder keeps 64 at most.
	option max_addresses: count = 64;

	## Whether records, logs and published events carry user names.
	option log_users: bool = T;

	## Whether records, logs and published events carry subjects. Zeek's own column in smtp.log isn't touched.
	option log_subjects: bool = T;

	## Decides a session's *decode_as*. What the decoder says is set already; handlers may replace it.
	##
	## c: The connection.
	##
	## session: The session.
	global decode_as: hook(c: connection, session: Session);
}

# The node's running numbers of its records.
global sessions_ended: count = 0;
global tls_starts: count = 0;

function limited(addresses: vector of string): vector of string
	{
	return addresses[:max_addresses];
	}

function complete(c: connection, session: Session)
	{
	session$community_id = community_id_v1(c$id, community_id_seed);
	session$node = Cluster::node == "" ? peer_description : Cluster::node;

	if ( ! log_users )
		delete session$user;

	if ( ! log_subjects )
		delete session$subject;

	if ( session?$mailfrom && |session$mailfrom| > max_addresses )
		session$mailfrom = limited(session$mailfrom);

	if ( session?$rcptto && |session$rcptto| > max_addresses )
		session$rcptto = limited(session$rcptto);

	if ( session?$from && |session$from| > max_addresses )
		session$from = limited(session$from);

	if ( session?$to && |session$to| > max_addresses )
		session$to = limited(session$to);

	hook decode_as(c, session);
	}

event MailTap::session_ended(c: connection, session: Session) &priority=10
	{
	complete(c, session);
	session$seq = ++sessions_ended;
	}

event MailTap::tls_started(c: connection, session: Session) &priority=10
	{
	complete(c, session);
	session$seq = ++tls_starts;
	}
