// SMTP (RFC 5321) and LMTP (RFC 2033), each side from its lines alone.

#pragma once

#include <string_view>

#include "line_buffer.h"
#include "sasl.h"
#include "side_facts.h"

namespace mailtap::decoder::smtp {

Weight ClientWeight(std::string_view line);
Weight ServerWeight(std::string_view line);

class Client {
public:
    Next Read(const Line& line, SideFacts& facts);

    // Whether the client's next line is a secret or names a user: no command to be weighed.
    bool InExchange() const { return sasl_.Open(); }

    // The message that DATA began has ended.
    void MessageEnded(SideFacts& facts);

    // Bytes are missing.
    void Interrupted() { sasl_.Close(); }

private:
    Next Command(std::string_view verb, std::string_view argument, const Line& line, SideFacts& facts);

    SaslExchange sasl_;
};

class Server {
public:
    Next Read(const Line& line, SideFacts& facts);
    void Interrupted() {
        lines_ = 0;
        after_354_ = after_334_ = false;
    }

private:
    bool Reply(uint16_t code, std::string_view text, SideFacts& facts);
    bool AcceptsUpgrade(std::string_view text, const SideFacts& facts) const;

    bool after_354_ = false; // the next final reply is the message's
    bool after_334_ = false; // the next reply is the login's
    uint16_t lines_ = 0;     // of the reply
};

// Whether a server's line is the greeting. Others of its code accept STARTTLS.
bool IsGreeting(std::string_view line);

// Whether a line is a command with all that belongs to it, so that it stands in a message's text by rare chance only.
bool IsWholeCommand(std::string_view line);

// Whether a line is a command with which a client goes on to another message.
bool BeginsTransaction(std::string_view line);

// Whether a line that stands where a message should begin is a command: the server refused DATA, and the client goes
// on.
bool IsCommandAfterData(std::string_view line);

} // namespace mailtap::decoder::smtp
