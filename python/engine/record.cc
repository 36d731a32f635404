#include "record.h"

#include <string_view>
#include <vector>

#include "stream/community_id.h"
#include "stream/json.h"
#include "stream/session_fields.h"
#include "uid.h"

namespace mailtap::engine {

using stream::JsonObject;

namespace {

stream::FlowEnd FlowEnd(const Endpoint& end) { return {.address = end.address.Octets(), .port = end.port}; }

void WriteConnection(JsonObject& json, const TcpSession& session, decoder::Side client, const Options& options) {
    const Endpoint& client_end = session.EndpointOf(client);
    const Endpoint& server_end = session.EndpointOf(Other(client));
    json.Seconds("ts", session.Start());
    json.Seconds("duration", session.Duration());
    json.Text("uid", Uid(session));
    json.Text("id.orig_h", session.Originator().address.Text());
    json.Count("id.orig_p", session.Originator().port);
    json.Text("id.resp_h", session.Responder().address.Text());
    json.Count("id.resp_p", session.Responder().port);
    json.Text("community_id", stream::CommunityId(FlowEnd(session.Originator()), FlowEnd(session.Responder()),
                                                  options.community_id_seed));
    json.Text("client_h", client_end.address.Text());
    json.Count("client_p", client_end.port);
    json.Text("server_h", server_end.address.Text());
    json.Count("server_p", server_end.port);
}

struct FieldWriter {
    JsonObject& json;

    void operator()(std::string_view name, std::string_view text) const { json.Text(name, text); }
    void operator()(std::string_view name, const std::vector<std::string>& texts) const { json.Set(name, texts); }
    void operator()(std::string_view name, uint64_t count) const { json.Count(name, count); }
    void operator()(std::string_view name, bool flag) const { json.Flag(name, flag); }
    void operator()(std::string_view name, const std::optional<int64_t>& seconds) const {
        if ( seconds )
            json.Seconds(name, *seconds * kSecond);
    }
    void operator()(std::string_view name, const std::optional<bool>& flag) const {
        if ( flag )
            json.Flag(name, *flag);
    }
};

} // namespace

void AppendRecord(std::string& lines, const TcpSession& session, const Options& options, uint64_t number) {
    const decoder::Facts facts = session.Sides().Facts();

    JsonObject json(lines);
    WriteConnection(json, session, facts.client, options);
    stream::VisitFields(session.Sides(), facts, options.effective, FieldWriter{json});
    json.Text("node", options.node);
    json.Count("seq", number);
    json.Close();
    lines += '\n';
}

} // namespace mailtap::engine
