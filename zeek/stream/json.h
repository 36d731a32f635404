// Writes one flat JSON object.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtap::stream {

class JsonObject {
public:
    explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }

    // An empty text and an empty set are left out: that is how the record says unset.
    void Text(std::string_view key, std::string_view value);
    void Set(std::string_view key, const std::vector<std::string>& values);

    void Count(std::string_view key, uint64_t value);
    void Flag(std::string_view key, bool value);

    // Written as seconds, with six decimals.
    void Seconds(std::string_view key, int64_t microseconds);

    void Close() { out_ += '}'; }

private:
    void Key(std::string_view key);

    std::string& out_;
    bool first_ = true;
};

// Appends `bytes` as a JSON string. Bytes that aren't UTF-8 are written as the text \xNN, as Zeek does; control
// characters, the second set of them (U+0080 to U+009F) too, are escaped.
void AppendJsonString(std::string& out, std::string_view bytes);

} // namespace mailtap::stream
