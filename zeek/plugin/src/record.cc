#include "record.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "engine/json.h"

namespace mailtap::plugin {

using engine::End;

namespace {

// A field's name as a template argument: its place in the record is looked up once.
template <std::size_t size>
struct Name {
    constexpr Name(const char (&text)[size]) { std::copy_n(text, size, value); }
    char value[size];
};

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

class Builder {
public:
    template <Name name, typename Value>
    void Set(Value&& value) {
        record_->Assign(Place<name>(), std::forward<Value>(value));
    }

    // An empty text and an empty list are left out: that is how the record says unset.
    template <Name name>
    void SetText(std::string_view text) {
        if ( ! text.empty() )
            Set<name>(TextVal(text));
    }

    // `text` is a literal of the decoder's.
    template <Name name>
    void SetName(std::string_view text) {
        if ( ! text.empty() )
            Set<name>(NameVal(text));
    }

    template <Name name>
    void SetTexts(const std::vector<std::string>& texts) {
        if ( texts.empty() )
            return;
        auto vector = zeek::make_intrusive<zeek::VectorVal>(zeek::id::string_vec);
        vector->Reserve(texts.size());
        for ( const auto& text : texts )
            vector->Append(TextVal(text));
        Set<name>(std::move(vector));
    }

    zeek::RecordValPtr Take() { return std::move(record_); }

private:
    template <Name name>
    static int Place() {
        static const int place = SessionType()->FieldOffset(name.value);
        return place;
    }

    zeek::RecordValPtr record_ = zeek::make_intrusive<zeek::RecordVal>(SessionType());
};

std::string_view DirectionOf(const engine::TwoSides& session, End client) {
    return session.Packets(engine::Other(client)) == 0 ? "c2s" : session.Packets(client) == 0 ? "s2c" : "bidirectional";
}

void SetMail(Builder& record, const decoder::Facts& facts) {
    record.SetText<"helo">(facts.helo);
    record.SetTexts<"mailfrom">(facts.mailfrom);
    record.SetTexts<"rcptto">(facts.rcptto);
    record.SetTexts<"from">(facts.from);
    record.SetTexts<"to">(facts.to);
    record.SetText<"subject">(facts.subject);
    record.SetText<"msg_id">(facts.msg_id);
    record.SetText<"user_agent">(facts.user_agent);
    record.Set<"mailfrom_count">(facts.mailfrom_count);
    record.Set<"rcptto_count">(facts.rcptto_count);
    record.SetText<"auth">(facts.auth);
    record.SetName<"auth_result">(decoder::Name(facts.auth_result));
    record.SetText<"user">(facts.user);
    record.Set<"messages">(facts.messages);
    record.Set<"commands">(facts.commands);
    record.Set<"replies">(facts.replies);
    record.SetText<"last_command">(facts.last_command);
    record.SetText<"last_reply">(facts.last_reply);
    record.SetText<"banner">(facts.banner);
    record.SetName<"stage">(decoder::Name(facts.stage));
    record.SetName<"empty_cause">(decoder::Name(facts.empty_cause));
}

engine::Time MicrosecondsOf(double seconds) { return std::llround(seconds * engine::kSecond); }

void Append(engine::JsonObject& json, const std::string& key, const zeek::ValPtr& value) {
    switch ( value->GetType()->Tag() ) {
        case zeek::TYPE_STRING: {
            const auto* text = value->AsStringVal();
            json.Text(key, {reinterpret_cast<const char*>(text->Bytes()), static_cast<std::size_t>(text->Len())});
            break;
        }
        case zeek::TYPE_COUNT: json.Count(key, value->AsCount()); break;
        case zeek::TYPE_BOOL: json.Flag(key, value->AsBool()); break;
        case zeek::TYPE_TIME: json.Seconds(key, MicrosecondsOf(value->AsTime())); break;
        case zeek::TYPE_INTERVAL:
            json.Seconds(key, std::max<engine::Time>(0, MicrosecondsOf(value->AsInterval())));
            break;
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

void AppendFields(engine::JsonObject& json, const std::string& prefix, const zeek::RecordVal& record) {
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

zeek::RecordValPtr MakeRecord(zeek::Connection& connection, const engine::TwoSides& session,
                              const decoder::Facts& facts, bool orig_is_client) {
    const End client = session.EndOf(facts.client);
    const End server = engine::Other(client);
    const auto& conn_val = connection.GetVal();
    const auto& orig = connection.OrigAddr();
    const auto& resp = connection.RespAddr();
    const auto orig_port = zeek::val_mgr->Port(ntohs(static_cast<uint16_t>(connection.OrigPort())), TRANSPORT_TCP);
    const auto resp_port = zeek::val_mgr->Port(ntohs(static_cast<uint16_t>(connection.RespPort())), TRANSPORT_TCP);

    Builder record;
    record.Set<"ts">(zeek::make_intrusive<zeek::TimeVal>(connection.StartTime()));
    record.Set<"duration">(zeek::make_intrusive<zeek::IntervalVal>(connection.LastTime() - connection.StartTime()));
    record.Set<"uid">(conn_val->GetField("uid"));
    record.Set<"id">(conn_val->GetField("id"));
    record.Set<"client_h">(zeek::make_intrusive<zeek::AddrVal>(orig_is_client ? orig : resp));
    record.Set<"client_p">(orig_is_client ? orig_port : resp_port);
    record.Set<"server_h">(zeek::make_intrusive<zeek::AddrVal>(orig_is_client ? resp : orig));
    record.Set<"server_p">(orig_is_client ? resp_port : orig_port);
    record.SetName<"service">(decoder::Name(facts.service));
    record.SetName<"direction">(DirectionOf(session, client));
    record.SetName<"starttls">(decoder::Name(facts.starttls));
    record.Set<"implicit_tls">(facts.implicit_tls);
    record.SetName<"tunnel">(decoder::Name(facts.tunnel));
    record.SetName<"decode_as">(decoder::DecodeAs(facts));
    record.Set<"client_pkts">(session.Packets(client));
    record.Set<"client_bytes">(session.Bytes(client));
    record.Set<"server_pkts">(session.Packets(server));
    record.Set<"server_bytes">(session.Bytes(server));
    record.Set<"gap_bytes">(session.GapBytes());
    record.Set<"midstream">(session.Midstream());
    SetMail(record, facts);
    return record.Take();
}

zeek::RecordValPtr MakeProgress(const engine::TwoSides& session, const decoder::Facts& facts) {
    static const auto type = zeek::id::find_type<zeek::RecordType>("MailTap::Progress");
    static const int starttls = type->FieldOffset("starttls");
    static const int direction = type->FieldOffset("direction");
    auto progress = zeek::make_intrusive<zeek::RecordVal>(type);
    progress->Assign(starttls, NameVal(decoder::Name(facts.starttls)));
    progress->Assign(direction, NameVal(DirectionOf(session, session.EndOf(facts.client))));
    return progress;
}

std::string SessionLine(const zeek::RecordVal& record, double started) {
    std::string line;
    engine::JsonObject json(line);
    AppendFields(json, "", record);
    json.Seconds("started", MicrosecondsOf(started));
    json.Close();
    return line;
}

} // namespace mailtap::plugin
