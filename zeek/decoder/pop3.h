// POP3 (RFC 1939, 2449, 2595, 5034, 6856), each side from its lines alone.

#pragma once

#include <string_view>

#include "sasl.h"
#include "side_facts.h"

namespace mailtap::decoder::pop3 {

Weight ClientWeight(std::string_view line);
Weight ServerWeight(std::string_view line);

class Client {
public:
    Next Line(std::string_view line, SideFacts& facts);
    bool InExchange() const { return sasl_.Open(); }

    // Bytes are missing.
    void Interrupted() { sasl_.Close(); }

private:
    SaslExchange sasl_;
};

class Server {
public:
    Next Line(std::string_view line, SideFacts& facts);

    // A line of a list (Next::List).
    void ListLine(std::string_view line, SideFacts& facts);

private:
    bool answered_ok_ = false; // the last line was +OK: lines of its answer may follow
};

} // namespace mailtap::decoder::pop3
