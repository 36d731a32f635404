// The exchanges that open a tunnel: HTTP CONNECT (RFC 9110 9.3.6) and SOCKS 4, 4a and 5 (RFC 1928, 1929).

#pragma once

#include <cstdint>
#include <string_view>

#include "side_facts.h"

namespace mailtap::decoder {

bool IsHttpRequest(std::string_view line);
bool IsHttpResponse(std::string_view line);

// One side's HTTP opening, line by line. Next::Inner when a tunnel follows, Next::Other when the session is HTTP and no
// more, Next::Skip over the body of a refusal, after which the opening starts anew.
class HttpOpening {
public:
    // The request or status line.
    Next Begin(std::string_view line, SideFacts& facts);
    Next HeaderLine(std::string_view line, SideFacts& facts);

private:
    bool request_ = false;
    bool refused_ = false;  // a status other than 2xx
    bool has_body_ = false; // of unknown length, or an ordinary answer's
    uint64_t body_length_ = 0;
};

struct SocksOpening {
    enum State : uint8_t { More, Open, Not };
    State state = More;
    std::size_t length = 0; // of the opening, once it is Open
    uint16_t port = 0;      // of the target, from the client
};

// Whether a side may open with SOCKS, by its first byte.
bool MayBeSocks(uint8_t first, Role role);

// Reads a side's bytes from the first on.
SocksOpening ReadSocks(std::string_view bytes, Role role);

} // namespace mailtap::decoder
