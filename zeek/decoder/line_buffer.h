// Cuts a stream of segments into lines.

#pragma once

#include <cstring>
#include <string_view>

#include "limits.h"
#include "secret_buffer.h"

namespace mailtap::decoder {

// A line without its end.
struct Line {
    std::string_view text; // the first kMaxLine bytes
    std::string_view end;  // the last bytes, at most kMaxLineEnd, also of a line that is longer than kMaxLine
    bool bare_lf = false;  // the line ended in LF without CR
    bool cut = false;      // the rest of the line is missing: bytes were lost, or the session ended
};

// Lines end in LF, with or without CR before it. A line within one segment is not copied.
class LineBuffer {
public:
    // Moves `bytes` past the next LF. Returns true with the line when there was one; the line lives until the next
    // call.
    bool Take(std::string_view& bytes, Line& line) {
        if ( complete_ )
            Clear();

        const void* found = std::memchr(bytes.data(), '\n', bytes.size());
        if ( ! found ) {
            Append(bytes);
            bytes = {};
            return false;
        }

        auto length = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        std::string_view whole = bytes.substr(0, length);
        bytes.remove_prefix(length + 1);
        if ( ! carry_.Empty() ) {
            Append(whole);
            whole = carry_.View();
            complete_ = true;
        }
        line = Cut(whole);
        line.bare_lf = ! line.end.ends_with('\r');
        if ( ! line.bare_lf ) {
            line.end.remove_suffix(1);
            if ( whole.size() <= kMaxLine )
                line.text.remove_suffix(1);
        }
        return true;
    }

    // The bytes of an unfinished line. Of a long one, the first kMaxLine and then some of the last.
    std::string_view Pending() const { return complete_ ? std::string_view{} : carry_.View(); }

    // The unfinished line, when no more of it will come.
    Line PendingLine() const {
        Line line = Cut(Pending());
        line.cut = true;
        if ( line.text.ends_with('\r') ) // only its LF is missing
            line.text.remove_suffix(1);
        return line;
    }

    // Adds to the unfinished line.
    void Append(std::string_view bytes) {
        if ( complete_ )
            Clear();
        std::string_view head = bytes.substr(0, kMaxLine - std::min(kMaxLine, carry_.Size()));
        carry_.Append(head);
        bytes.remove_prefix(head.size());
        if ( bytes.empty() )
            return;
        if ( bytes.size() >= kMaxLineEnd ) {
            carry_.Truncate(kMaxLine);
            bytes.remove_prefix(bytes.size() - kMaxLineEnd);
        }
        else if ( carry_.Size() + bytes.size() > kMaxLine + 2 * kMaxLineEnd ) {
            SecretBuffer end(carry_.View().substr(carry_.Size() - kMaxLineEnd));
            carry_.Truncate(kMaxLine);
            carry_.Append(end.View());
        }
        carry_.Append(bytes);
    }

    // Forgets the line given out or pending.
    void Clear() {
        carry_.Clear();
        complete_ = false;
    }

    std::size_t Memory() const { return carry_.Memory(); }

private:
    static Line Cut(std::string_view whole) {
        return {.text = whole.substr(0, kMaxLine),
                .end = whole.substr(whole.size() - std::min(kMaxLineEnd, whole.size()))};
    }

    SecretBuffer carry_;
    bool complete_ = false; // carry_ holds a line that was given out
};

} // namespace mailtap::decoder
