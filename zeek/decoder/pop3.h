// POP3 (RFC 1939, 2449, 2595, 5034, 6856), each side from its lines alone.

#pragma once

#include <string_view>

#include "line_buffer.h"
#include "sasl.h"
#include "side_facts.h"

namespace mailtap::decoder::pop3 {

Weight ClientWeight(std::string_view line);
Weight ServerWeight(std::string_view line);

// Whether a server's line is the greeting.
bool IsGreeting(std::string_view line);

class Client {
public:
    Next Read(const Line& line, SideFacts& facts);
    bool InExchange() const { return sasl_.Open(); }

    // Bytes are missing.
    void Interrupted() { sasl_.Close(); }

private:
    SaslExchange sasl_;
};

class Server {
public:
    Next Read(const Line& line, SideFacts& facts);

    // Bytes are missing.
    void Interrupted() { in_list_ = false; }

    // The next line belongs to an answer whose +OK is missing.
    void ExpectAnswer() { answered_ok_ = true; }

private:
    Next Status(bool ok, const Line& line, SideFacts& facts);
    Next Answer(std::string_view line, SideFacts& facts);
    void ListLine(std::string_view line, SideFacts& facts);
    static void ShowMailbox(Stage stage, SideFacts& facts);

    bool answered_ok_ = false;   // the last line was +OK: lines of its answer may follow
    bool sends_message_ = false; // its text says that a message follows
    bool in_list_ = false;       // such lines follow, up to a dot
    bool list_known_ = false;    // one of them is POP3's
    bool counted_ = false;       // the reply was counted as a further one
};

// Whether `line` is a reply, which can't stand within an answer's lines.
bool IsReply(std::string_view line);

// Whether `line` names a capability (RFC 2449 6). Some are commands, too.
bool IsCapability(std::string_view line);

// Whether the line is a capability that is no command.
bool IsCapabilityOnly(std::string_view line);

} // namespace mailtap::decoder::pop3
