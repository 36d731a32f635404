#include "record.h"

#include "identifiers.h"
#include "json.h"

namespace mailtap::engine {

namespace {

void WriteConnection(JsonObject& json, const TcpSession& session, const Options& options) {
    json.Seconds("ts", session.Start());
    json.Seconds("duration", session.Duration());
    json.Text("uid", Uid(session));
    json.Text("id.orig_h", session.Originator().address.Text());
    json.Count("id.orig_p", session.Originator().port);
    json.Text("id.resp_h", session.Responder().address.Text());
    json.Count("id.resp_p", session.Responder().port);
    json.Text("community_id", CommunityId(session.Originator(), session.Responder(), options.community_id_seed));
}

void WriteTraffic(JsonObject& json, const TcpSession& session, decoder::Side client, decoder::Side server) {
    json.Count("client_pkts", session.Packets(client));
    json.Count("client_bytes", session.Bytes(client));
    json.Count("server_pkts", session.Packets(server));
    json.Count("server_bytes", session.Bytes(server));
    json.Count("gap_bytes", session.GapBytes());
    json.Flag("midstream", session.Midstream());
}

void WriteMail(JsonObject& json, const decoder::Facts& facts) {
    json.Text("helo", facts.helo);
    json.Set("mailfrom", facts.mailfrom);
    json.Set("rcptto", facts.rcptto);
    json.Set("from", facts.from);
    json.Set("to", facts.to);
    json.Text("subject", facts.subject);
    json.Text("msg_id", facts.msg_id);
    json.Text("user_agent", facts.user_agent);
    json.Count("mailfrom_count", facts.mailfrom_count);
    json.Count("rcptto_count", facts.rcptto_count);
    json.Text("auth", facts.auth);
    json.Text("auth_result", Name(facts.auth_result));
    json.Text("user", facts.user);
    json.Count("messages", facts.messages);
    json.Count("commands", facts.commands);
    json.Count("replies", facts.replies);
    json.Text("last_command", facts.last_command);
    json.Text("last_reply", facts.last_reply);
    json.Text("banner", facts.banner);
    json.Text("stage", Name(facts.stage));
    json.Text("empty_cause", Name(facts.empty_cause));
}

} // namespace

void AppendRecord(std::string& lines, const TcpSession& session, const Options& options, uint64_t number) {
    const decoder::Facts facts = session.Facts();
    const bool client_is_originator = facts.client == decoder::Side::Orig;
    const decoder::Side client = facts.client;
    const decoder::Side server = client_is_originator ? decoder::Side::Resp : decoder::Side::Orig;
    const Endpoint& client_end = client_is_originator ? session.Originator() : session.Responder();
    const Endpoint& server_end = client_is_originator ? session.Responder() : session.Originator();
    const uint64_t packets = session.Packets(client) + session.Packets(server);
    const uint64_t bytes = session.Bytes(client) + session.Bytes(server);

    JsonObject json(lines);
    WriteConnection(json, session, options);
    json.Text("client_h", client_end.address.Text());
    json.Count("client_p", client_end.port);
    json.Text("server_h", server_end.address.Text());
    json.Count("server_p", server_end.port);
    json.Text("service", Name(facts.service));
    json.Text("direction", session.Packets(server) == 0 ? "c2s" :
                           session.Packets(client) == 0 ? "s2c" :
                                                          "bidirectional");
    json.Text("starttls", Name(facts.starttls));
    json.Flag("implicit_tls", facts.implicit_tls);
    json.Text("tunnel", Name(facts.tunnel));
    json.Text("decode_as", DecodeAs(facts));
    json.Flag("effective", packets > options.effective_packets && bytes > options.effective_bytes);
    WriteTraffic(json, session, client, server);
    WriteMail(json, facts);
    json.Text("node", options.node);
    json.Count("seq", number);
    json.Close();
    lines += '\n';
}

} // namespace mailtap::engine
