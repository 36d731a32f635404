// IMAP (RFC 3501, 9051), each side from its lines alone.

#pragma once

#include <string_view>

#include "line_buffer.h"
#include "sasl.h"
#include "secret_buffer.h"
#include "side_facts.h"

namespace mailtap::decoder::imap {

Weight ClientWeight(std::string_view line);
Weight ServerWeight(std::string_view line);

// Whether a server's line is the greeting. Other untagged OKs have a code of their own.
bool IsGreeting(std::string_view line);

// Whether `line` has the form of a command: a tag with a digit in it, as clients count them, and a word of letters. The
// command itself may be unknown.
bool HasCommandForm(std::string_view line);

// A line may end in a literal (RFC 9051 4.3), `{n}` or `{n+}`: n bytes follow, then the line goes on. Both sides keep
// the line's text up to there.
class Client {
public:
    Next Read(const Line& line, SideFacts& facts);

    // The bytes asked for by Next::Capture. `cut`: some of them are missing.
    void Captured(std::string_view bytes, bool cut);

    // Whether the next line answers a challenge or continues a command behind a literal, so that it is no command
    // itself.
    bool InExchange() const { return sasl_.Open() || in_literal_command_; }

    // Whether `line`, at the place of a literal, is the next command: the server refused the literal. Its tag is like
    // that of the command with the literal, or the command is one that text seldom begins with.
    bool RefusesLiteral(std::string_view line) const;

    // The rest of a command behind a literal won't come: the command counts all the same. `literal_sent`: bytes of the
    // literal came, or may have.
    void CutCommand(SideFacts& facts, bool literal_sent);

    // Bytes are missing.
    void Interrupted() { sasl_.Close(); }

    std::size_t Memory() const { return command_.Memory(); }

private:
    // How a command ends: Cut, bytes of it are missing; Refused, its last literal wasn't sent.
    enum class Ending : uint8_t { Whole, Cut, Refused };

    Next EndCommand(Ending ending, SideFacts& facts);
    Next Command(Ending ending, SideFacts& facts);

    SaslExchange sasl_;
    SecretBuffer command_; // up to the literals within it
    bool in_literal_command_ = false;
};

class Server {
public:
    Next Read(const Line& line, SideFacts& facts);
    void Captured(std::string_view bytes, bool cut);
    bool InExchange() const { return in_literal_response_; }
    void Interrupted();
    std::size_t Memory() const { return response_.Memory(); }

private:
    void Untagged(std::string_view text, SideFacts& facts);
    Next Status(std::string_view tag, std::string_view status, std::string_view text, bool cut, SideFacts& facts);
    Next Response(bool cut, SideFacts& facts);

    SecretBuffer response_; // may repeat what the client sent
    bool in_literal_response_ = false;
};

} // namespace mailtap::decoder::imap
