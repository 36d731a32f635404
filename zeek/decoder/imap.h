// IMAP (RFC 3501, 9051), each side from its lines alone.

#pragma once

#include <string>
#include <string_view>

#include "sasl.h"
#include "side_facts.h"

namespace mailtap::decoder::imap {

Weight ClientWeight(std::string_view line);
Weight ServerWeight(std::string_view line);

// A line may end in a literal (RFC 9051 4.3), `{n}` or `{n+}`: n bytes follow, then the line goes on. Both sides keep
// the line's text up to there.
class Client {
public:
    Next Line(std::string_view line, SideFacts& facts);

    // The bytes asked for by Next::Capture.
    void Captured(std::string_view bytes);

    // Whether the next line answers a challenge or goes on behind a literal: no command of its own.
    bool InExchange() const { return sasl_.Open() || in_literal_command_; }

    // Bytes are missing.
    void Interrupted();

    std::size_t Memory() const { return command_.capacity(); }

private:
    void Command(SideFacts& facts);

    SaslExchange sasl_;
    std::string command_; // up to the literals within it
    bool in_literal_command_ = false;
    bool opaque_next_ = false;
};

class Server {
public:
    Next Line(std::string_view line, SideFacts& facts);
    void Captured(std::string_view bytes);
    bool InExchange() const { return in_literal_response_; }
    void Interrupted();
    std::size_t Memory() const { return response_.capacity(); }

private:
    void Untagged(std::string_view text, SideFacts& facts);
    void Status(std::string_view status, std::string_view text, uint32_t tag, SideFacts& facts);
    void Response(SideFacts& facts);

    std::string response_;
    bool in_literal_response_ = false;
};

// Whether `line` is a command that can't be the text of a literal: the server refused the literal.
bool EndsLiteral(std::string_view line);

} // namespace mailtap::decoder::imap
