// Finds an SMTP client's commands again after missing bytes.

#pragma once

#include <cstdint>
#include <string_view>

#include "line_buffer.h"
#include "secret_buffer.h"

namespace mailtap::decoder::smtp {

// Whether a line may be a command that the server doesn't know. Text seldom has a line of one word in capitals; with an
// argument, that says something behind another command only.
bool HasCommandForm(std::string_view line, bool with_argument);

// After missing bytes, a client's lines may be commands or a message's text, and text may quote commands. So commands
// are held back until what follows shows which they were: a message after DATA, or the end of the session, says
// commands; a line of other text says text.
class Recovery {
public:
    enum class Verdict : uint8_t {
        Undecided,
        Text,
        Commands,     // the lines held, this one included, are commands
        EndOfMessage, // the dot: the lines held were a message's
    };

    // `in_message`: the bytes are missing within a message. `crlf_seen`: a line before them ended in CR LF.
    void Begin(bool in_message, bool crlf_seen);

    Verdict Read(const Line& line);

    bool InMessage() const { return in_message_; }

    // The lines held, each with its end. They are the caller's then.
    SecretBuffer Release();

    bool Empty() const { return held_.Empty(); }
    std::size_t Memory() const { return held_.Memory(); }

private:
    SecretBuffer held_;
    bool in_message_ = false;
    bool after_data_ = false; // the last line held is DATA
    bool crlf_seen_ = false;
};

} // namespace mailtap::decoder::smtp
