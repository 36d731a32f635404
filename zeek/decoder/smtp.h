// SMTP (RFC 5321) and LMTP (RFC 2033), each side from its lines alone.

#pragma once

#include <string_view>

#include "sasl.h"
#include "side_facts.h"

namespace mailtap::decoder::smtp {

Weight ClientWeight(std::string_view line);
Weight ServerWeight(std::string_view line);

class Client {
public:
    Next Line(std::string_view line, SideFacts& facts);

    // Whether the client's next line is a secret or names a user: no command to be weighed.
    bool InExchange() const { return sasl_.Open(); }

    // Bytes are missing.
    void Interrupted() { sasl_.Close(); }

private:
    Next Command(std::string_view verb, std::string_view argument, SideFacts& facts);

    SaslExchange sasl_;
};

class Server {
public:
    Next Line(std::string_view line, SideFacts& facts);
    void Interrupted() {
        lines_ = 0;
        after_354_ = false;
    }

private:
    void Reply(uint16_t code, std::string_view text, SideFacts& facts);

    bool after_354_ = false; // the next final reply is the message's
    uint16_t lines_ = 0;     // of the reply
};

// A line after DATA that can only be a command: the server refused the message and the client went on.
bool EndsDataPhase(std::string_view line);

} // namespace mailtap::decoder::smtp
