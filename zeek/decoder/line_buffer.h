// Cuts a stream of segments into lines.

#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "limits.h"
#include "text.h"

namespace mailtap::decoder {

// Lines end in LF, with or without CR before it. A line within one segment is never copied.
class LineBuffer {
public:
    // Moves `bytes` behind the next LF. True with the line, without its end, when there was one; the view lives until
    // the next call. Of a line beyond kMaxLine only the beginning is given.
    bool Take(std::string_view& bytes, std::string_view& line) {
        if ( complete_ )
            Clear();

        const void* found = std::memchr(bytes.data(), '\n', bytes.size());
        if ( ! found ) {
            Append(bytes);
            bytes = {};
            return false;
        }

        auto length = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        std::string_view rest = bytes.substr(0, length);
        bytes.remove_prefix(length + 1);
        if ( carry_.empty() )
            line = rest.substr(0, kMaxLine);
        else {
            Append(rest);
            line = carry_;
            complete_ = true;
        }
        if ( ! line.empty() && line.back() == '\r' )
            line.remove_suffix(1);
        return true;
    }

    // What came of an unfinished line.
    std::string_view Pending() const { return complete_ ? std::string_view{} : std::string_view(carry_); }

    // Adds to the unfinished line.
    void Append(std::string_view bytes) {
        if ( complete_ )
            Clear();
        carry_.append(bytes.substr(0, kMaxLine - carry_.size()));
    }

    // Forgets the line given or pending. Lines can hold passwords, so their bytes are overwritten.
    void Clear() {
        Wipe(carry_);
        if ( carry_.capacity() > kMaxString )
            std::string().swap(carry_);
        complete_ = false;
    }

    std::size_t Memory() const { return carry_.capacity(); }

private:
    std::string carry_;
    bool complete_ = false; // carry_ holds a line that was given out
};

} // namespace mailtap::decoder
