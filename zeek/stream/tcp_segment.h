// What a TCP header and its payload say about one side of a session.

#pragma once

#include <cstdint>

#include "view.h"

namespace mailtap::stream {

// TCP flags (RFC 9293 3.1)
constexpr uint8_t kFin = 0x01;
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kRst = 0x04;
constexpr uint8_t kAck = 0x10;

// A segment but for its ports. It refers to the packet's bytes.
struct TcpSegment {
    uint32_t sequence = 0;
    uint32_t acknowledgement = 0;
    uint8_t flags = 0;
    View payload;

    bool Has(uint8_t flag) const { return (flags & flag) != 0; }
};

} // namespace mailtap::stream
