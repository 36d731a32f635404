#include "record.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

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

// The value of an option of MailTap's; a site may set it anew while Zeek runs.
uint64_t OptionOf(const zeek::detail::IDPtr& option) { return option->GetVal()->AsCount(); }

stream::EffectiveThresholds Thresholds() {
    static const auto packets = zeek::id::find("MailTap::effective_packets");
    static const auto bytes = zeek::id::find("MailTap::effective_bytes");
    return {OptionOf(packets), OptionOf(bytes)};
}

// Fills a MailTap::Session. Every record's fields are set in the same order: their places are looked up for the first
// record only.
class Builder {
public:
    void Set(std::string_view name, zeek::ValPtr value) { record_->Assign(NextPlace(name), std::move(value)); }

    void operator()(std::string_view name, uint64_t count) { record_->Assign(NextPlace(name), count); }

    void operator()(std::string_view name, bool flag) { record_->Assign(NextPlace(name), flag); }

    void operator()(std::string_view name, std::string_view own_name) {
        const int place = NextPlace(name);
        if ( ! own_name.empty() )
            record_->Assign(place, NameVal(own_name));
    }

    void operator()(std::string_view name, const std::string& text) {
        const int place = NextPlace(name);
        if ( ! text.empty() )
            record_->Assign(place, TextVal(text));
    }

    void operator()(std::string_view name, const std::vector<std::string>& texts) {
        const int place = NextPlace(name);
        if ( texts.empty() )
            return;
        auto vector = zeek::make_intrusive<zeek::VectorVal>(zeek::id::string_vec);
        vector->Reserve(texts.size());
        for ( const auto& text : texts )
            vector->Append(TextVal(text));
        record_->Assign(place, std::move(vector));
    }

    zeek::RecordValPtr Take() { return std::move(record_); }

private:
    int NextPlace(std::string_view name) {
        static std::vector<int> places;
        if ( next_ == places.size() )
            places.push_back(SessionType()->FieldOffset(std::string(name).c_str()));
        return places[next_++];
    }

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

zeek::RecordValPtr MakeRecord(zeek::Connection& connection, const stream::TwoSides& session,
                              const decoder::Facts& facts, bool orig_is_client) {
    const auto& conn_val = connection.GetVal();
    const auto orig = zeek::make_intrusive<zeek::AddrVal>(connection.OrigAddr());
    const auto resp = zeek::make_intrusive<zeek::AddrVal>(connection.RespAddr());
    const auto orig_port = zeek::val_mgr->Port(ntohs(static_cast<uint16_t>(connection.OrigPort())), TRANSPORT_TCP);
    const auto resp_port = zeek::val_mgr->Port(ntohs(static_cast<uint16_t>(connection.RespPort())), TRANSPORT_TCP);

    Builder record;
    record.Set("ts", zeek::make_intrusive<zeek::TimeVal>(connection.StartTime()));
    record.Set("duration", zeek::make_intrusive<zeek::IntervalVal>(connection.LastTime() - connection.StartTime()));
    record.Set("uid", conn_val->GetField("uid"));
    record.Set("id", conn_val->GetField("id"));
    record.Set("client_h", orig_is_client ? orig : resp);
    record.Set("client_p", orig_is_client ? orig_port : resp_port);
    record.Set("server_h", orig_is_client ? resp : orig);
    record.Set("server_p", orig_is_client ? resp_port : orig_port);
    VisitFields(session, facts, Thresholds(), record);
    return record.Take();
}

zeek::RecordValPtr MakeProgress(const stream::TwoSides& session, const decoder::Facts& facts) {
    static const auto type = zeek::id::find_type<zeek::RecordType>("MailTap::Progress");
    static const int starttls = type->FieldOffset("starttls");
    static const int direction = type->FieldOffset("direction");
    auto progress = zeek::make_intrusive<zeek::RecordVal>(type);
    progress->Assign(starttls, NameVal(decoder::Name(facts.starttls)));
    progress->Assign(direction, NameVal(Direction(session, session.EndOf(facts.client))));
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
