##! Takes the verdicts that ``mailtap live --answer`` sends back and writes them to mail_consistency.log.
##!
##! Whoever reaches Zeek's WebSocket port can send them, so what comes in is checked, and limited in size and rate.

@load base/frameworks/cluster
@load base/frameworks/logging
@load base/frameworks/notice

module MailTap;

export {
	redef enum Log::ID += {
		## mail_consistency.log.
		CONSISTENCY_LOG,
	};

	redef enum Notice::Type += {
		## A verdict was refused. Raised once an hour for each reason, with how many there were so far.
		Verdicts_Refused,
	};

	## Topic of verdicts.
	const verdicts_topic = "/mailtap/verdicts/" &redef;

	## Verdicts accepted in a second, over ten seconds; what comes beyond is refused.
	option max_verdicts_per_second: count = 5000;

	## Longest message of a verdict, in bytes.
	option max_verdict_bytes: count = 4096;

	## Longest text in a verdict, in bytes.
	option max_verdict_text_bytes: count = 256;

	## How far a session's decoding agrees with the label of a third-party DPI engine.
	type Verdict: record {
		## Time of the session's first packet.
		ts: time &log;
		## The session's unique ID. A session put together from two sensors' halves has both.
		uid: string &log &optional;
		## Community ID v1.
		community_id: string &log &optional;
		## The node that saw the session.
		sensor: string &log;
		## The mail client.
		client_h: addr &log &optional;
		## The mail client's port.
		client_p: port &log &optional;
		## The mail server.
		server_h: addr &log &optional;
		## The mail server's port.
		server_p: port &log &optional;
		## ``smtp``, ``pop3`` or ``imap``; unset when no mail was recognised.
		service: string &log &optional;
		## What the label says.
		app: string &log;
		## What the label rests on: ``payload``, ``port``, ``ip``, ``cache`` or ``unknown``.
		provenance: string &log;
		## What the session was decoded as.
		decode_as: string &log &optional;
		## ``consistent``, ``compatible`` or ``inconsistent``.
		verdict: string &log;
		## Why it is inconsistent, or what form of mail an agreeing session has.
		cause: string &log &optional;
		## Who is wrong where they disagree: ``label``, ``decoder``, ``neither`` or ``undecided``.
		wrong: string &log &optional;
		## Why that one is wrong, in words.
		evidence: string &log &optional;
	};

	## Sent by MailTap's client for each session that was compared with a label.
	##
	## line: The verdict as a JSON object: a :zeek:see:`MailTap::Verdict` with ports as numbers, and ``v``, which is 1.
	##
	## .. zeek:see:: MailTap::verdict_received
	global mail_verdict: event(line: string);

	## Raised for each verdict that was accepted.
	##
	## verdict: The verdict.
	global verdict_received: event(verdict: Verdict);

	## A default logging policy hook for the stream.
	global log_policy_consistency: Log::PolicyHook;

	## Raised for each row of mail_consistency.log.
	##
	## verdict: The row.
	global log_mail_consistency: event(verdict: Verdict);
}

# A verdict as it is sent.
type Message: record {
	v: count;
	ts: time;
	uid: string &optional;
	community_id: string &optional;
	sensor: string;
	# Before 9.0 an address that isn't one is an error of Zeek's, not of the JSON: texts, therefore.
	client_h: string &optional;
	client_p: count &optional;
	server_h: string &optional;
	server_p: count &optional;
	service: string &optional;
	app: string;
	provenance: string;
	decode_as: string &optional;
	verdict: string;
	cause: string &optional;
	wrong: string &optional;
	evidence: string &optional;
};

const message_version = 1;
const highest_port = 65535;
# The year 2096: what is beyond is some fault, and would be written as a date no log reader expects.
const latest = double_to_time(4e9);

# UTF-8 (RFC 3629 section 4) without control characters.
const printable_text = /([\x20-\x7e]|\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*/;

# What UTF-8 has beside them that moves, hides or reverses the text around it: U+00AD, U+061C, U+180E, U+200B to U+200F,
# U+2028 to U+202E, U+2060 to U+206F, U+FEFF, U+FFF9 to U+FFFB, U+E0000 to U+E0FFF.
const invisible_characters = /\xc2\xad|\xd8\x9c|\xe1\xa0\x8e|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xef\xbf[\xb9-\xbb]|\xf3\xa0[\x80-\xbf][\x80-\xbf]/;

const services = set("smtp", "pop3", "imap");
const provenances = set("payload", "port", "ip", "cache", "unknown");
const verdicts = set("consistent", "compatible", "inconsistent");
const wrong_ones = set("label", "decoder", "neither", "undecided");
const causes = set("label_port_guess", "no_payload", "below_threshold",
    "oneway", "starttls", "implicit_tls", "carrier", "not_mail",
    "greeting_only", "midstream", "gap", "nonstandard_port", "unsupported",
    "conflict", "unexplained");

# Refused so far, by reason.
global refused: table[string] of count &default=0;

# Reasons that were noticed lately.
global noticed: set[string] &create_expire=1hr;

# So long verdicts are counted: a Zeek that was busy gets those of some seconds at once.
const rate_interval = 10sec;

# Since when they are, by the clock of the machine: network time stands still without traffic.
global interval_start: time = double_to_time(0.0);
global verdicts_in_interval: count = 0;

function refuse(reason: string)
	{
	++refused[reason];

	if ( reason in noticed )
		return;

	add noticed[reason];
	NOTICE([$note=Verdicts_Refused, $msg=fmt(
	    "A verdict was refused: %s (%d so far)", reason, refused[reason]),
	    $identifier=reason]);
	}

function too_fast(): bool
	{
	local now = current_time();

	# The clock may also be set back.
	if ( now < interval_start || now - interval_start >= rate_interval )
		{
		interval_start = now;
		verdicts_in_interval = 0;
		}

	return ++verdicts_in_interval > max_verdicts_per_second * interval_to_double(
	    rate_interval);
	}

function is_text(value: string): bool
	{
	return |value| <= max_verdict_text_bytes
	    && printable_text == value
	    && invisible_characters !in value;
	}

function is_wellformed(m: Message): bool
	{
	return m$v == message_version
	    && m$ts >= double_to_time(0.0)
	    && m$ts < latest
	    && is_text(m$sensor)
	    && is_text(m$app)
	    && m$provenance in provenances
	    && m$verdict in verdicts
	    && ( ! m?$uid || is_text(m$uid) )
	    && ( ! m?$community_id || is_text(m$community_id) )
	    && ( ! m?$decode_as || is_text(m$decode_as) )
	    && ( ! m?$client_h || is_valid_ip(m$client_h) )
	    && ( ! m?$server_h || is_valid_ip(m$server_h) )
	    && ( ! m?$client_p || m$client_p <= highest_port )
	    && ( ! m?$server_p || m$server_p <= highest_port )
	    && ( ! m?$service || m$service in services )
	    && ( ! m?$cause || m$cause in causes )
	    && ( ! m?$wrong || m$wrong in wrong_ones )
	    && ( ! m?$evidence || is_text(m$evidence) );
	}

function to_verdict(m: Message): Verdict
	{
	local verdict = Verdict($ts=m$ts, $sensor=m$sensor, $app=m$app,
	    $provenance=m$provenance, $verdict=m$verdict);

	if ( m?$uid )
		verdict$uid = m$uid;

	if ( m?$community_id )
		verdict$community_id = m$community_id;

	if ( m?$client_h )
		verdict$client_h = to_addr(m$client_h);

	if ( m?$client_p )
		verdict$client_p = count_to_port(m$client_p, tcp);

	if ( m?$server_h )
		verdict$server_h = to_addr(m$server_h);

	if ( m?$server_p )
		verdict$server_p = count_to_port(m$server_p, tcp);

	if ( m?$service )
		verdict$service = m$service;

	if ( m?$decode_as )
		verdict$decode_as = m$decode_as;

	if ( m?$cause )
		verdict$cause = m$cause;

	if ( m?$wrong )
		verdict$wrong = m$wrong;

	if ( m?$evidence )
		verdict$evidence = m$evidence;

	return verdict;
	}

event zeek_init() &priority=5
	{
	Log::create_stream(CONSISTENCY_LOG, Log::Stream($columns=Verdict,
	    $ev=log_mail_consistency, $path="mail_consistency",
	    $policy=log_policy_consistency));

	# In a cluster the manager alone listens: one verdict, one row.
	if ( ! Cluster::is_enabled()
	    || Cluster::local_node_type() == Cluster::MANAGER )
		Cluster::subscribe(verdicts_topic);
	}

event MailTap::mail_verdict(line: string)
	{
	if ( too_fast() )
		{
		refuse("too many in a second");
		return;
		}

	if ( |line| > max_verdict_bytes )
		{
		refuse("too long");
		return;
		}

	local parsed = from_json(line, Message);

	# JSON's null is valid and has no value.
	if ( ! parsed$valid || ! parsed?$v || ! is_wellformed(parsed$v) )
		{
		refuse("malformed");
		return;
		}

	event MailTap::verdict_received(to_verdict(parsed$v));
	}

event MailTap::verdict_received(verdict: Verdict)
	{
	Log::write(CONSISTENCY_LOG, verdict);
	}
