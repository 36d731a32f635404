// SASL exchanges (RFC 4422) inside AUTH and AUTHENTICATE: who logs in, and how many of the client's lines belong to it.
// The secrets pass through and are overwritten.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "line_buffer.h"
#include "side_facts.h"

namespace mailtap::decoder {

// The mechanisms that IANA registers, and those that servers offer without. Other words behind AUTH may be anything, a
// password too: Redis has an AUTH of its own.
bool IsMechanism(std::string_view word);

// Whether a server's challenge, in Base64, is empty or asks for user or password: the mechanism is PLAIN or LOGIN, or
// another one that sends its secret as it is.
bool AsksForPassword(std::string_view challenge);

// The user name in what a client gave as one. It ends at the first blank or colon: what some clients put behind those
// is the password. Empty when it holds control characters.
std::string UserName(std::string_view text);

// A client's exchange.
class SaslExchange {
public:
    // AUTH's arguments: the mechanism, and perhaps an initial response (RFC 4954 4, 5034 4, 4959). `cut`: the line's
    // rest is missing, so that a response in it can't be decoded.
    void Begin(std::string_view arguments, bool cut, SideFacts& facts);

    // Whether the client's next line may be an answer within the exchange.
    bool Open() const { return open_; }

    // Takes `line` as such an answer. False when it can't be one: the exchange is over and the line is a command.
    bool Answer(const Line& line, SideFacts& facts);

    void Close() { open_ = false; }

private:
    void Respond(std::string_view base64, SideFacts& facts);

    bool open_ = false;
    uint8_t responses_ = 0;
};

} // namespace mailtap::decoder
