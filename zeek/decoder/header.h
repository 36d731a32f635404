// A message's header (RFC 5322 2.2), line by line.

#pragma once

#include <string>
#include <string_view>

#include "side_facts.h"

namespace mailtap::decoder {

class HeaderParser {
public:
    // Takes a line without its end. False when the header is over: with the blank line, with a line that is no
    // header field, or where it grows beyond kMaxHeaderBytes.
    bool Line(std::string_view line, SideFacts& facts);

    // The header ends, or breaks off: a field is kept only when `whole`.
    void End(bool whole, SideFacts& facts);

    // A header begins. `new_fields`: its fields take the place of the last message's; else they add to them.
    void Begin(bool new_fields = true);

    // A field was read that may go on in the next line.
    bool HasField() const { return field_ != Field::None; }

    std::size_t Memory() const { return value_.capacity(); }

private:
    enum class Field : uint8_t { None, From, To, Subject, MessageId, UserAgent };

    static Field FieldOf(std::string_view name);

    Field field_ = Field::None;
    std::string value_;
    std::size_t bytes_ = 0;
    bool new_fields_ = true; // the last message's fields are to be dropped at the first field
};

// Whether `line` could be a header's first: a field, or the "From " line that mailbox files put there.
bool LooksLikeHeader(std::string_view line);

} // namespace mailtap::decoder
