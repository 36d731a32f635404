#include "record.h"

#include <arpa/inet.h>
#include <zeek/Conn.h>
#include <zeek/Func.h>
#include <zeek/IPAddr.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

#include "stream/community_id.h"
#include "stream/json.h"
#include "stream/session_fields.h"

namespace mailtap::plugin {

namespace {

const zeek::RecordTypePtr& SessionType() {
    static const auto type = zeek::id::find_type<zeek::RecordType>("MailTap::Session");
    return type;
}

zeek::StringValPtr TextVal(std::string_view text) {
    return zeek::make_intrusive<zeek::StringVal>(static_cast<int>(text.size()), text.data());
}

// Of the few names that the decoder has for things: one value each for all records.
zeek::StringValPtr NameVal(std::string_view name) {
    static std::unordered_map<std::string_view, zeek::StringValPtr> known;
    auto& value = known[name];
    if ( ! value )
        value = TextVal(name);
    return value;
}

// What MailTap's options say of records. A site may set them anew while Zeek runs.
struct RecordOptions {
    stream::EffectiveThresholds effective;
    uint64_t community_id_seed;
    uint64_t max_addresses;
    bool log_users;
    bool log_subjects;
};

RecordOptions ReadOptions() {
    static const auto packets = zeek::id::find("MailTap::effective_packets");
    static const auto bytes = zeek::id::find("MailTap::effective_bytes");
    static const auto seed = zeek::id::find("MailTap::community_id_seed");
    static const auto addresses = zeek::id::find("MailTap::max_addresses");
    static const auto users = zeek::id::find("MailTap::log_users");
    static const auto subjects = zeek::id::find("MailTap::log_subjects");
    return {.effective = {packets->GetVal()->AsCount(), bytes->GetVal()->AsCount()},
            .community_id_seed = seed->GetVal()->AsCount(),
            .max_addresses = addresses->GetVal()->AsCount(),
            .log_users = users->GetVal()->AsBool(),
            .log_subjects = subjects->GetVal()->AsBool()};
}

// By the code of the embedded engine: Zeek's community_id_v1() takes 1.7 times as long.
zeek::ValPtr CommunityId(const zeek::Connection& connection, uint64_t seed) {
    auto end = [](const zeek::IPAddr& address, uint16_t port) {
        const uint32_t* words = nullptr;
        const int count = address.GetBytes(&words);
        return stream::FlowEnd{{reinterpret_cast<const uint8_t*>(words), count * sizeof(*words)}, ntohs(port)};
    };
    return TextVal(stream::CommunityId(end(connection.OrigAddr(), connection.OrigPort()),
                                       end(connection.RespAddr(), connection.RespPort()), static_cast<uint16_t>(seed)));
}

// The cluster node's name, else that of the process.
const zeek::ValPtr& NodeName() {
    static const zeek::ValPtr name = [] {
        const auto& node = zeek::id::find("Cluster::node");
        const bool in_cluster = node && node->GetVal()->AsStringVal()->Len() > 0;
        return in_cluster ? node->GetVal() : zeek::id::find_val("peer_description");
    }();
    return name;
}

// Lets the site's handlers change what the session was decoded as.
void CallDecodeAs(const zeek::RecordValPtr& connection, const zeek::RecordValPtr& record) {
    static const auto hook = zeek::id::find_func("MailTap::decode_as");
    if ( ! hook->HasEnabledBodies() )
        return;
    zeek::Args arguments = {connection, record};
    hook->Invoke(&arguments);
}

bool IsAddressList(std::string_view name) {
    return name == "mailfrom" || name == "rcptto" || name == "from" || name == "to";
}

// Fills a MailTap::Session. Every record's fields are set in the same order: their places are looked up for the first
// record only.
class Builder {
public:
    explicit Builder(const RecordOptions& options) : options_(options) {}

    void Set(std::string_view name, zeek::ValPtr value) { record_->Assign(NextPlace(name), std::move(value)); }

    void operator()(std::string_view name, uint64_t count) { record_->Assign(NextPlace(name), count); }

    void operator()(std::string_view name, bool flag) { record_->Assign(NextPlace(name), flag); }

    void operator()(std::string_view name, const std::optional<int64_t>& seconds) {
        const int place = NextPlace(name);
        if ( seconds )
            record_->Assign(place, zeek::make_intrusive<zeek::TimeVal>(static_cast<double>(*seconds)));
    }

    void operator()(std::string_view name, const std::optional<bool>& flag) {
        const int place = NextPlace(name);
        if ( flag )
            record_->Assign(place, *flag);
    }

    void operator()(std::string_view name, std::string_view own_name) {
        const int place = NextPlace(name);
        if ( ! own_name.empty() )
            record_->Assign(place, NameVal(own_name));
    }

    void operator()(std::string_view name, const std::string& text) {
        const int place = NextPlace(name);
        if ( ! text.empty() && ! IsLeftOut(name) )
            record_->Assign(place, TextVal(text));
    }

    void operator()(std::string_view name, const std::vector<std::string>& texts) {
        const int place = NextPlace(name);
        if ( texts.empty() )
            return;
        const std::size_t count =
            IsAddressList(name) ? std::min<std::size_t>(texts.size(), options_.max_addresses) : texts.size();
        auto vector = zeek::make_intrusive<zeek::VectorVal>(zeek::id::string_vec);
        vector->Reserve(static_cast<unsigned int>(count));
        for ( const auto& text : std::span(texts).first(count) )
            vector->Append(TextVal(text));
        record_->Assign(place, std::move(vector));
    }

    zeek::RecordValPtr Take() { return std::move(record_); }

private:
    bool IsLeftOut(std::string_view name) const {
        return (name == "user" && ! options_.log_users) || (name == "subject" && ! options_.log_subjects);
    }

    int NextPlace(std::string_view name) {
        static std::vector<int> places;
        if ( next_ == places.size() )
            places.push_back(SessionType()->FieldOffset(std::string(name).c_str()));
        return places[next_++];
    }

    const RecordOptions& options_;
    zeek::RecordValPtr record_ = zeek::make_intrusive<zeek::RecordVal>(SessionType());
    std::size_t next_ = 0;
};

int64_t MicrosecondsOf(double seconds) { return std::llround(seconds * 1e6); }

void Append(stream::JsonObject& json, const std::string& key, const zeek::ValPtr& value) {
    switch ( value->GetType()->Tag() ) {
        case zeek::TYPE_STRING: {
            const auto* text = value->AsStringVal();
            json.Text(key, {reinterpret_cast<const char*>(text->Bytes()), static_cast<std::size_t>(text->Len())});
            break;
        }
        case zeek::TYPE_COUNT: json.Count(key, value->AsCount()); break;
        case zeek::TYPE_BOOL: json.Flag(key, value->AsBool()); break;
        case zeek::TYPE_TIME: json.Seconds(key, MicrosecondsOf(value->AsTime())); break;
        case zeek::TYPE_INTERVAL: json.Seconds(key, std::max<int64_t>(0, MicrosecondsOf(value->AsInterval()))); break;
        case zeek::TYPE_ADDR: json.Text(key, value->AsAddr().AsString()); break;
        case zeek::TYPE_PORT: json.Count(key, value->AsPortVal()->Port()); break;
        case zeek::TYPE_VECTOR: {
            const auto* vector = value->AsVectorVal();
            std::vector<std::string> texts;
            for ( unsigned int i = 0; i < vector->Size(); ++i )
                if ( const auto text = vector->ValAt(i); text && text->GetType()->Tag() == zeek::TYPE_STRING )
                    texts.push_back(text->AsStringVal()->ToStdString());
            json.Set(key, texts);
            break;
        }
        default: break;
    }
}

void AppendFields(stream::JsonObject& json, const std::string& prefix, const zeek::RecordVal& record) {
    const auto type = record.GetType<zeek::RecordType>();
    for ( int i = 0; i < type->NumFields(); ++i ) {
        const auto* field = type->FieldDecl(i);
        const auto value = record.GetField(i);
        if ( ! value || ! field->attrs || ! field->attrs->Find(zeek::detail::ATTR_LOG) )
            continue;
        if ( value->GetType()->Tag() == zeek::TYPE_RECORD )
            AppendFields(json, prefix + field->id + '.', *value->AsRecordVal());
        else
            Append(json, prefix + field->id, value);
    }
}

} // namespace

zeek::RecordValPtr MakeRecord(const zeek::Connection& connection, const zeek::RecordValPtr& conn_val,
                              const stream::TwoSides& session, const decoder::Facts& facts, bool orig_is_client,
                              uint64_t number) {
    static const int uid = zeek::id::connection->FieldOffset("uid");
    static const int id = zeek::id::connection->FieldOffset("id");
    const auto conn_id = conn_val->GetField<zeek::RecordVal>(id);
    // Of a conn_id the core relies on the order of the first fields: orig_h, orig_p, resp_h, resp_p.
    const int client = orig_is_client ? 0 : 2;
    const int server = orig_is_client ? 2 : 0;
    const RecordOptions options = ReadOptions();

    Builder builder(options);
    builder.Set("ts", zeek::make_intrusive<zeek::TimeVal>(connection.StartTime()));
    builder.Set("duration", zeek::make_intrusive<zeek::IntervalVal>(connection.LastTime() - connection.StartTime()));
    builder.Set("uid", conn_val->GetField(uid));
    builder.Set("id", conn_id);
    builder.Set("community_id", CommunityId(connection, options.community_id_seed));
    builder.Set("client_h", conn_id->GetField(client));
    builder.Set("client_p", conn_id->GetField(client + 1));
    builder.Set("server_h", conn_id->GetField(server));
    builder.Set("server_p", conn_id->GetField(server + 1));
    VisitFields(session, facts, options.effective, builder);
    builder.Set("node", NodeName());
    builder("seq", number);
    auto record = builder.Take();
    CallDecodeAs(conn_val, record);
    return record;
}

zeek::RecordValPtr NoProgress() {
    static const auto type = zeek::id::find_type<zeek::RecordType>("MailTap::Progress");
    return zeek::make_intrusive<zeek::RecordVal>(type);
}

zeek::RecordValPtr MakeProgress(const stream::TwoSides& session, const decoder::Facts& facts) {
    auto progress = NoProgress();
    progress->AssignField("starttls", NameVal(decoder::Name(facts.starttls)));
    progress->AssignField("direction", NameVal(Direction(session, session.EndOf(facts.client))));
    return progress;
}

std::string SessionLine(const zeek::RecordVal& record, double started) {
    std::string line;
    stream::JsonObject json(line);
    AppendFields(json, "", record);
    json.Seconds("started", MicrosecondsOf(started));
    json.Close();
    return line;
}

} // namespace mailtap::plugin
