#include "json.h"

#include <algorithm>

namespace mailtap::stream {

namespace {

constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr std::string_view kHexDigits = "0123456789abcdef";

void AppendHex(std::string& out, uint8_t byte) {
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 0x0f];
}

uint8_t ByteAt(std::string_view bytes, std::size_t at) {
    return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : 0;
}

// Length of the well-formed UTF-8 sequence (Unicode 3.9, table 3-7) that begins at `at`, or 0.
std::size_t SequenceLength(std::string_view bytes, std::size_t at) {
    const uint8_t lead = ByteAt(bytes, at);
    if ( lead < 0x80 )
        return 1;
    std::size_t length = 0;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if ( lead >= 0xc2 && lead <= 0xdf )
        length = 2;
    else if ( lead >= 0xe0 && lead <= 0xef )
        length = 3;
    else if ( lead >= 0xf0 && lead <= 0xf4 )
        length = 4;
    if ( lead == 0xe0 )
        low = 0xa0; // overlong
    if ( lead == 0xed )
        high = 0x9f; // surrogates
    if ( lead == 0xf0 )
        low = 0x90; // overlong
    if ( lead == 0xf4 )
        high = 0x8f; // beyond U+10FFFF
    for ( std::size_t i = 1; i < length; ++i ) {
        const uint8_t byte = ByteAt(bytes, at + i);
        if ( byte < (i == 1 ? low : 0x80) || byte > (i == 1 ? high : 0xbf) )
            return 0;
    }
    return length;
}

void AppendControl(std::string& out, uint8_t code) {
    out += "\\u00";
    AppendHex(out, code);
}

} // namespace

void AppendJsonString(std::string& out, std::string_view bytes) {
    out += '"';
    for ( std::size_t at = 0; at < bytes.size(); ) {
        const uint8_t byte = ByteAt(bytes, at);
        const std::size_t length = SequenceLength(bytes, at);
        if ( length == 0 ) {
            out += "\\\\x";
            AppendHex(out, byte);
        }
        else if ( byte == '"' || byte == '\\' ) {
            out += '\\';
            out += static_cast<char>(byte);
        }
        else if ( byte < 0x20 || byte == 0x7f )
            AppendControl(out, byte);
        else if ( byte == 0xc2 && ByteAt(bytes, at + 1) < 0xa0 )
            AppendControl(out, ByteAt(bytes, at + 1));
        else
            out += bytes.substr(at, length);
        at += std::max<std::size_t>(length, 1);
    }
    out += '"';
}

void JsonObject::Key(std::string_view key) {
    if ( ! first_ )
        out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key; // the record's own names: nothing to escape
    out_ += "\":";
}

void JsonObject::Text(std::string_view key, std::string_view value) {
    if ( value.empty() )
        return;
    Key(key);
    AppendJsonString(out_, value);
}

void JsonObject::Set(std::string_view key, const std::vector<std::string>& values) {
    if ( values.empty() )
        return;
    Key(key);
    out_ += '[';
    for ( const std::string& value : values ) {
        if ( &value != &values.front() )
            out_ += ',';
        AppendJsonString(out_, value);
    }
    out_ += ']';
}

void JsonObject::Count(std::string_view key, uint64_t value) {
    Key(key);
    out_ += std::to_string(value);
}

void JsonObject::Flag(std::string_view key, bool value) {
    Key(key);
    out_ += value ? "true" : "false";
}

void JsonObject::Seconds(std::string_view key, int64_t microseconds) {
    Key(key);
    const std::string fraction = std::to_string(microseconds % kMicrosecondsPerSecond);
    out_ += std::to_string(microseconds / kMicrosecondsPerSecond);
    out_ += '.';
    out_.append(6 - fraction.size(), '0');
    out_ += fraction;
}

} // namespace mailtap::stream
