#include "combine.h"

#include <algorithm>

#include "text.h"

namespace mailtap::decoder {

namespace {

// Facts of a side that wasn't seen or doesn't belong.
const SideFacts kNothing;

// Where no bytes are missing, the reply to a command is known by its number, or by its tag.
const Reply* ReplyTo(const CommandMark& mark, const SideFacts& client, const SideFacts& server) {
    if ( ! mark.set )
        return nullptr;
    if ( mark.tag != 0 ) {
        auto reply = std::find_if(server.reply_log.begin(), server.reply_log.end(),
                                  [&mark](const Reply& r) { return r.tag == mark.tag; });
        return reply == server.reply_log.end() ? nullptr : &*reply;
    }
    if ( client.lost || server.lost || mark.number >= server.reply_log.size() )
        return nullptr;
    return &server.reply_log[mark.number];
}

bool IsSuccess(const Reply& reply) { return reply.code == kOk || (reply.code >= 200 && reply.code < 300); }
bool IsFailure(const Reply& reply) { return reply.code == kNo || reply.code >= 400; }

StartTls StartTlsOf(const SideFacts& client, const SideFacts& server, bool hello) {
    const Reply* reply = ReplyTo(client.starttls_mark, client, server);
    // A side may open with TLS because its lines are missing.
    if ( client.tls_upgrade || server.tls_upgrade ||
         (hello && (client.starttls_requested || server.starttls_accepted)) )
        return StartTls::Tls;
    if ( server.starttls_accepted || (reply && IsSuccess(*reply)) )
        return StartTls::Accepted;
    // Where the reply can't be told from others, a client that goes on in the clear was refused.
    bool went_on = ! reply && client.plain_after_request && server.replies > 0;
    if ( server.starttls_refused || (reply && IsFailure(*reply)) || went_on )
        return StartTls::Refused;
    if ( client.starttls_requested )
        return StartTls::Requested;
    return server.starttls_offered ? StartTls::Offered : StartTls::None;
}

AuthResult AuthResultOf(const SideFacts& client, const SideFacts& server) {
    const Reply* reply = ReplyTo(client.auth_mark, client, server);
    if ( reply && IsSuccess(*reply) )
        return AuthResult::Success;
    if ( reply && IsFailure(*reply) )
        return AuthResult::Failure;
    return server.auth_result;
}

// A message whose DATA the server refuses is none (RFC 5321 3.3), even where the client sends it all the same. A chunk
// is sent before the server can refuse.
bool DataRefused(const SideFacts& client, const SideFacts& server) {
    return client.data_mark.set && ! client.chunk_command && ! client.lost && ! server.lost && ! server.data_accepted &&
           server.replies > client.data_mark.number;
}

EmptyCause EmptyCauseOf(const Facts& facts, const SideFacts& client, const SideFacts& server, bool client_seen,
                        bool server_seen, Stage beyond_logout) {
    if ( ! (facts.mailfrom.empty() && facts.rcptto.empty() && facts.from.empty() && facts.to.empty()) )
        return EmptyCause::None;
    if ( facts.starttls == StartTls::Requested || facts.starttls >= StartTls::Accepted )
        return EmptyCause::StartTls;
    if ( facts.service == Service::Smtp && ! client_seen )
        return EmptyCause::ServerSideOnly;
    if ( facts.service != Service::Smtp && ! server_seen )
        return EmptyCause::ClientSideOnly;

    const Reply* hello = ReplyTo(client.hello_mark, client, server);
    if ( server.greeting_refused || facts.auth_result == AuthResult::Failure || (hello && IsFailure(*hello)) )
        return EmptyCause::Refused;
    if ( client.commands == 0 && server.further_replies == 0 && beyond_logout <= Stage::Hello )
        return EmptyCause::GreetingOnly;
    if ( beyond_logout >= Stage::Data )
        return EmptyCause::Aborted;
    if ( beyond_logout == Stage::Envelope )
        return EmptyCause::NoMessage;
    if ( beyond_logout == Stage::Auth || server.further_replies > 0 )
        return EmptyCause::LoginOnly;
    return EmptyCause::HelloOnly;
}

} // namespace

Facts Combine(const SeenSide& orig, const SeenSide& resp) {
    const SideFacts& a = orig.decoder->Facts();
    const SideFacts& b = resp.decoder->Facts();
    Facts facts;
    facts.http = a.http || b.http;

    // The side that says more names the service; its peer joins in where it says the same.
    const SeenSide* leader = nullptr;
    if ( orig.recognised )
        leader = &orig;
    if ( resp.recognised && (! leader || b.reading.weight > a.reading.weight ||
                             (b.reading.weight == a.reading.weight && b.reading.role == Role::Server)) )
        leader = &resp;

    Role orig_role = Role::Unknown;
    if ( leader ) {
        const Reading& reading = leader->decoder->Facts().reading;
        facts.service = reading.service;
        orig_role = (leader == &orig) == (reading.role == Role::Client) ? Role::Client : Role::Server;
    }
    else if ( a.opening_role != Role::Unknown )
        orig_role = a.opening_role;
    else if ( b.opening_role != Role::Unknown )
        orig_role = b.opening_role == Role::Client ? Role::Server : Role::Client;
    facts.roles_by_content = orig_role != Role::Unknown;
    facts.client = orig_role == Role::Server ? Side::Resp : Side::Orig;

    bool orig_is_client = facts.client == Side::Orig;
    const SideFacts& client_side = orig_is_client ? a : b;
    const SideFacts& server_side = orig_is_client ? b : a;
    auto belongs = [&facts](const SideFacts& side, Role role) {
        return facts.service != Service::None && side.reading.service == facts.service && side.reading.role == role;
    };
    const SideFacts& client = belongs(client_side, Role::Client) ? client_side : kNothing;
    const SideFacts& server = belongs(server_side, Role::Server) ? server_side : kNothing;

    bool hello = client_side.tls_opening || server_side.tls_opening;
    if ( facts.service != Service::None )
        facts.starttls = StartTlsOf(client, server, hello);
    facts.implicit_tls = hello && facts.starttls != StartTls::Tls;

    facts.user_agent = client_side.user_agent;
    if ( facts.service == Service::None )
        return facts;

    facts.tunnel = std::max(a.tunnel, b.tunnel);
    if ( facts.tunnel == Tunnel::None && facts.http ) // a server's 2xx alone may be any answer
        facts.tunnel = Tunnel::Http;

    bool smtp = facts.service == Service::Smtp;
    bool refused = DataRefused(client, server);
    const SideFacts& headers = smtp ? (refused ? kNothing : client) : server;
    facts.from = headers.from;
    facts.to = headers.to;
    facts.subject = headers.subject;
    facts.msg_id = headers.msg_id;
    if ( ! headers.user_agent.empty() )
        facts.user_agent = headers.user_agent;
    facts.messages = smtp ? (refused ? 0 : std::max(client.messages, server.messages)) : server.messages;

    facts.helo = client.helo;
    facts.mailfrom = client.mailfrom;
    facts.rcptto = client.rcptto;
    facts.mailfrom_count = client.mailfrom_count;
    facts.rcptto_count = client.rcptto_count;
    facts.auth = client.auth;
    facts.user = client.user;
    facts.auth_result = AuthResultOf(client, server);
    facts.commands = client.commands;
    facts.last_command = client.last_command;
    facts.replies = server.replies;
    facts.last_reply = server.last_reply;
    facts.banner = server.banner;

    Stage client_stage = refused ? std::min(client.stage, Stage::Data) : client.stage;
    Stage beyond_logout = std::max(client_stage, server.stage);
    facts.stage = client.logout || server.logout ? Stage::Logout : beyond_logout;
    bool client_seen = orig_is_client ? orig.seen : resp.seen;
    bool server_seen = orig_is_client ? resp.seen : orig.seen;
    facts.empty_cause = EmptyCauseOf(facts, client, server, client_seen, server_seen, beyond_logout);
    return facts;
}

} // namespace mailtap::decoder
