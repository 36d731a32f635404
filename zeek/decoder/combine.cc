#include "combine.h"

#include <algorithm>
#include <optional>

#include "exchange.h"
#include "findings.h"
#include "tls/names.h"

namespace mailtap::decoder {

namespace {

// Facts of a side that wasn't seen, or that speaks another protocol than its peer.
const SideFacts kNothing;
const tls::Facts kNoTls;

// What both sides show, in their mail roles.
struct Session {
    const SideFacts& client;
    const SideFacts& server;
    Exchange exchange;
    bool client_seen = false; // packets of it, with payload or not
    bool server_seen = false;
    bool client_lost = false;  // bytes of it are missing
    bool client_spoke = false; // its payload was seen from the first byte on, whether it is mail or not
    bool hello = false;        // either side opens with TLS
};

StartTls StartTlsOf(const Session& session) {
    const SideFacts& client = session.client;
    const SideFacts& server = session.server;
    bool accepted = server.starttls_accepted || session.exchange.starttls == Outcome::Success;
    bool refused = server.starttls_refused || session.exchange.starttls == Outcome::Failure;
    // A client may start TLS although the server refused, which then answers in the clear that it doesn't understand.
    bool alone = ! accepted && ! server.tls_upgrade && server.last_reply_failed;
    // A side may open with TLS because its lines are missing.
    bool opened = session.hello && (client.starttls_requested || server.starttls_accepted);
    if ( server.tls_upgrade || ((client.tls_upgrade || opened) && ! alone) )
        return StartTls::Tls;
    if ( accepted )
        return StartTls::Accepted;
    // Where the reply can't be told from others, a client that goes on in the clear was refused.
    bool went_on = session.exchange.starttls == Outcome::Unknown && client.plain_after_request && server.replies > 0;
    if ( refused || went_on || (client.starttls_requested && client.tls_upgrade && alone) )
        return StartTls::Refused;
    if ( client.starttls_requested )
        return StartTls::Requested;
    return server.starttls_offered ? StartTls::Offered : StartTls::None;
}

AuthResult AuthResultOf(const Session& session) {
    // The attempt that succeeded may be among the missing commands.
    if ( session.client_lost && session.server.auth_result == AuthResult::Success )
        return AuthResult::Success;
    switch ( session.exchange.auth ) {
        case Outcome::Success: return AuthResult::Success;
        case Outcome::Failure: return AuthResult::Failure;
        case Outcome::Unknown: break;
    }
    // A client that was seen and that tried no login has none, whatever the server's answers suggest.
    if ( ! session.client_lost && session.client.commands > 0 && session.client.auth.empty() &&
         ! session.client.password_sent )
        return AuthResult::Unknown;
    // What a reply's text suggests counts only where the replies can't be paired with the commands.
    return session.exchange.complete ? AuthResult::Unknown : session.server.auth_result;
}

// A message whose DATA the server refuses is none (RFC 5321 3.3), even where the client sends it all the same. A chunk
// is sent before the server can refuse.
bool DataRefused(const Session& session) {
    return session.exchange.data_refused && session.server.data_accepted == 0 && ! session.client.chunk_command;
}

uint64_t MessagesOf(const Session& session, Service service) {
    const SideFacts& client = session.client;
    const SideFacts& server = session.server;
    if ( service != Service::Smtp )
        return server.messages;
    if ( session.exchange.complete )
        return session.exchange.messages;
    if ( DataRefused(session) )
        return 0;
    uint64_t sent = client.messages;
    // A client that sends a message although DATA was refused: each 354 lets one through.
    if ( server.replies > 0 && ! server.lost && ! session.client_lost && ! client.chunk_command )
        sent = std::min(sent, server.data_accepted);
    return std::max(sent - std::min(sent, server.messages_refused), server.messages);
}

// What the client's commands and the server's answers reached together.
Stage StageOf(const Session& session, Service service, uint64_t messages) {
    Stage client = session.client.stage;
    if ( service == Service::Smtp && messages == 0 )
        client = std::min(client, Stage::Data);
    // A client that asks for a message hasn't got one yet, where the server can be seen.
    bool answered = session.server.replies > 0 && ! session.server.lost && ! session.server.message_begun &&
                    ! session.exchange.retrieved;
    if ( service != Service::Smtp && answered )
        client = std::min(client, Stage::Envelope);
    return std::max(client, session.server.stage);
}

// `plain`: TLS was accepted, but didn't come.
EmptyCause EmptyCauseOf(const Facts& facts, const Session& session, Stage stage, bool plain) {
    const SideFacts& client = session.client;
    const SideFacts& server = session.server;
    if ( ! (facts.mailfrom.empty() && facts.rcptto.empty() && facts.from.empty() && facts.to.empty()) )
        return EmptyCause::None;
    if ( ! plain && (facts.starttls == StartTls::Requested || facts.starttls >= StartTls::Accepted) )
        return EmptyCause::StartTls;
    if ( facts.service == Service::Smtp && ! session.client_seen )
        return EmptyCause::ServerSideOnly;
    if ( facts.service != Service::Smtp && ! session.server_seen )
        return EmptyCause::ClientSideOnly;
    if ( server.greeting_refused || facts.auth_result == AuthResult::Failure ||
         session.exchange.hello == Outcome::Failure )
        return EmptyCause::Refused;

    // POP3 and IMAP answer everything alike, so a server's replies count only where the commands weren't seen.
    bool more = server.further_replies > 0 && (client.commands == 0 || session.client_lost) && ! session.client_spoke;
    if ( client.commands == 0 && ! more && stage <= Stage::Hello )
        return EmptyCause::GreetingOnly;
    if ( stage >= Stage::Data )
        return EmptyCause::Aborted;
    if ( stage == Stage::Envelope )
        return EmptyCause::NoMessage;
    if ( stage == Stage::Auth || more )
        return EmptyCause::LoginOnly;
    return EmptyCause::HelloOnly;
}

// An IMAP tag may be a password that came at the wrong place, and that the server repeats. So it is shown where a
// command had it; and where the commands weren't all seen, in a reply that isn't an error.
std::string LastReply(const SideFacts& client, const SideFacts& server, bool all_commands_seen) {
    if ( server.last_reply_tag.empty() )
        return server.last_reply;
    const auto& tags = client.recent_tags;
    bool known = std::find(tags.begin(), tags.end(), server.last_reply_hash) != tags.end();
    bool shown = known || (! all_commands_seen && ! server.last_reply_bad);
    return shown ? server.last_reply_tag + " " + server.last_reply : server.last_reply;
}

// The side that shows more names the service; its peer joins in where it shows the same. Null: neither does.
const SeenSide* Leader(const SeenSide& orig, const SeenSide& resp) {
    if ( ! orig.recognised || ! resp.recognised )
        return orig.recognised ? &orig : resp.recognised ? &resp : nullptr;
    const Reading& a = orig.facts->reading;
    const Reading& b = resp.facts->reading;
    return b.weight > a.weight || (b.weight == a.weight && b.role == Role::Server) ? &resp : &orig;
}

Role OrigRole(const SeenSide* leader, const SeenSide& orig, const SeenSide& resp) {
    auto opposite = [](Role role) { return role == Role::Client ? Role::Server : Role::Client; };
    if ( leader )
        return leader == &orig ? leader->facts->reading.role : opposite(leader->facts->reading.role);
    if ( orig.facts->opening_role != Role::Unknown )
        return orig.facts->opening_role;
    return resp.facts->opening_role == Role::Unknown ? Role::Unknown : opposite(resp.facts->opening_role);
}

// TLS where a session's beginning is missing, on a port where STARTTLS comes before it.
Service UpgradedService(const SeenSide& side) {
    return side.facts->tls_opening && side.facts->lost ? side.upgraded_service : Service::None;
}

// A client sends nothing before the greeting. After XCLIENT, an SMTP server greets again.
bool BeginsWithGreeting(const SideFacts& client, const SideFacts& server) {
    const bool again = server.reading.service == Service::Smtp && ! client.command_log.empty() &&
                       client.command_log.front() == CommandKind::Other;
    return server.greeting_seen && ! again;
}

// A client's facts, and the outcome of its commands.
struct Answered {
    SideFacts facts;
    Exchange exchange;
};

// Those where the server accepted an earlier request for TLS than the last before the hello: what stands behind it,
// further requests among that, was injected. Where the facts up to that request weren't kept, those up to one before it
// are taken: nothing injected counts then.
std::optional<Answered> WithEarlierRequest(const SeenSide& client, const SideFacts& server, bool client_lost) {
    const auto restored = [&](const SideFactsMark& request) {
        Answered earlier{.facts = *client.facts, .exchange = {}};
        request.Restore(earlier.facts);
        earlier.facts.tls_upgrade = earlier.facts.command_injected = true;
        earlier.exchange = Pair(earlier.facts, server, client_lost);
        return earlier;
    };
    for ( const SideFactsMark& request : client.earlier_requests )
        if ( Answered earlier = restored(request); earlier.exchange.starttls == Outcome::Success )
            return earlier;
    if ( client.earlier_requests.empty() || ! Pair(*client.facts, server, client_lost).sent_behind_acceptance )
        return std::nullopt;
    Answered earlier = restored(client.earlier_requests.back());
    earlier.exchange.starttls = Outcome::Success;
    earlier.exchange.replies_after_starttls = 0;
    return earlier;
}

void AddMessages(Facts& facts, const SideFacts& side) {
    facts.from = side.from;
    facts.to = side.to;
    facts.subject = side.subject;
    facts.msg_id = side.msg_id;
    if ( ! side.user_agent.empty() )
        facts.user_agent = side.user_agent;
}

// The TLS of the side in that role. A hello of the other role is none of it.
const tls::Facts& TlsOf(const SeenSide& side, Role role) {
    const bool fits = side.tls && (side.tls->sender == role || side.tls->sender == Role::Unknown);
    return fits ? *side.tls : kNoTls;
}

// What the hellos and the certificate tell, in the record's form.
TlsFields FieldsOf(const tls::Facts& client, const tls::Facts& server) {
    TlsFields fields;
    fields.sni = client.sni;
    fields.ja4 = client.ja4;
    if ( const auto version = server.version ? server.version : client.version )
        fields.version = tls::VersionName(*version);
    if ( server.cipher )
        fields.cipher = tls::CipherName(*server.cipher);
    for ( const std::string& protocol : server.alpn.empty() ? client.alpn : server.alpn )
        fields.alpn += (fields.alpn.empty() ? "" : ",") + protocol;
    if ( const auto& certificate = server.certificate ) {
        fields.cert_subject = certificate->subject;
        fields.cert_issuer = certificate->issuer;
        fields.cert_names = certificate->names;
        fields.cert_not_before = certificate->not_before;
        fields.cert_not_after = certificate->not_after;
        fields.cert_self_signed = certificate->self_signed;
    }
    return fields;
}

} // namespace

Facts Combine(const SeenSide& orig, const SeenSide& resp) {
    Facts facts;
    facts.http = orig.facts->http || resp.facts->http;

    const SeenSide* leader = Leader(orig, resp);
    Role orig_role = OrigRole(leader, orig, resp);
    facts.service = leader ? leader->facts->reading.service : Service::None;
    facts.roles_by_content = orig_role != Role::Unknown;
    facts.client = orig_role == Role::Server ? Side::Resp : Side::Orig;

    const SeenSide& client_side = facts.client == Side::Orig ? orig : resp;
    const SeenSide& server_side = facts.client == Side::Orig ? resp : orig;
    auto belongs = [&facts](const SeenSide& side, Role role) {
        return facts.service != Service::None && side.facts->reading.service == facts.service &&
               side.facts->reading.role == role;
    };
    const SideFacts& server = belongs(server_side, Role::Server) ? *server_side.facts : kNothing;
    const SideFacts* shown = belongs(client_side, Role::Client) ? client_side.facts : &kNothing;
    // The server's 354s tell how many messages it saw begin, and its replies to their ends how many it took.
    const SideFacts* bare = shown == &kNothing ? nullptr : client_side.with_bare_line_ends;
    bool smuggled = shown->smuggled; // the second view takes the dot for an end, and so sees nothing odd
    if ( bare && ((server.data_accepted > shown->data_commands && server.data_accepted >= bare->data_commands) ||
                  (server.messages > shown->messages && server.messages <= bare->messages)) )
        shown = bare;

    bool client_lost = client_side.facts->gap || (client_side.facts->lost && ! BeginsWithGreeting(*shown, server));
    const auto earlier =
        shown == client_side.facts ? WithEarlierRequest(client_side, server, client_lost) : std::nullopt;
    if ( earlier )
        shown = &earlier->facts;
    Session session{.client = *shown,
                    .server = server,
                    .exchange = earlier ? earlier->exchange : Pair(*shown, server, client_lost),
                    .client_seen = client_side.seen,
                    .server_seen = server_side.seen,
                    .client_lost = client_lost,
                    .client_spoke = client_side.facts->spoke && ! client_lost,
                    .hello = client_side.facts->tls_opening || server_side.facts->tls_opening};
    const tls::Facts& client_tls = TlsOf(client_side, Role::Client);
    const tls::Facts& server_tls = TlsOf(server_side, Role::Server);
    facts.tls = FieldsOf(client_tls, server_tls);
    facts.user_agent = client_side.facts->tunnel_user_agent;
    if ( facts.service != Service::None )
        facts.starttls = StartTlsOf(session);
    else if ( Service upgraded = std::max(UpgradedService(orig), UpgradedService(resp)); upgraded != Service::None ) {
        facts.service = upgraded;
        facts.starttls = StartTls::Tls;
    }
    // A server that wants TLS answers a client that speaks in the clear with an alert.
    const bool clear = session.client.commands > 0 && ! client_side.facts->tls_opening;
    facts.implicit_tls = session.hello && facts.starttls != StartTls::Tls && ! clear;
    const Evidence evidence{.client = session.client,
                            .server = session.server,
                            .exchange = session.exchange,
                            .client_tls = client_tls,
                            .server_tls = server_tls,
                            .client_lost = client_lost,
                            .smuggled = smuggled};
    facts.findings = FindingsOf(evidence);
    if ( facts.service == Service::None )
        return facts;

    // A request other than CONNECT, to a mail server, opens no tunnel.
    facts.http &= ! client_side.facts->http || client_side.facts->tunnel == Tunnel::Http;
    facts.tunnel = std::max(orig.facts->tunnel, resp.facts->tunnel);
    if ( facts.tunnel == Tunnel::None && facts.http ) // a server's 2xx alone may be any answer
        facts.tunnel = Tunnel::Http;

    const SideFacts& client = session.client;
    bool smtp = facts.service == Service::Smtp;
    AddMessages(facts, smtp ? (DataRefused(session) ? kNothing : client) : server);
    facts.messages = MessagesOf(session, facts.service);

    facts.helo = client.helo;
    facts.mailfrom = client.mailfrom;
    facts.rcptto = client.rcptto;
    facts.mailfrom_count = client.mailfrom_count;
    facts.rcptto_count = client.rcptto_count;
    facts.auth = client.auth;
    facts.user = client.user;
    facts.auth_result = AuthResultOf(session);
    facts.commands = client.commands;
    facts.last_command = client.last_command;
    facts.replies = server.replies;
    facts.last_reply = LastReply(client, server, session.client_spoke);
    if ( server.tls_upgrade && session.exchange.replies_after_starttls > 0 ) { // injected
        facts.replies -= std::min(facts.replies, session.exchange.replies_after_starttls);
        facts.last_reply.clear();
    }
    facts.banner = server.banner;

    Stage stage = StageOf(session, facts.service, facts.messages);
    bool logout = client.logout || server.logout || (server.bare_goodbye && ! session.client_spoke);
    facts.stage = logout ? Stage::Logout : stage;
    // Where the client wasn't seen, that TLS was accepted is the best reason there is.
    const bool plain = session.client_seen && IsPlainAfterAccept(evidence);
    facts.empty_cause = EmptyCauseOf(facts, session, stage, plain);
    return facts;
}

} // namespace mailtap::decoder
