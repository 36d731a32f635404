// From a captured packet to the TCP segment in it, through whatever encapsulation.

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "address.h"
#include "fragments.h"
#include "layer.h"
#include "stream/tcp_segment.h"

namespace mailtap::engine {

// Headers below TCP that are followed: deep enough for any tunnel in a tunnel, and an end to crafted ones.
constexpr int kMaxLayers = 32;

// A segment and whose it is.
struct Segment {
    Endpoint source;
    Endpoint destination;
    stream::TcpSegment tcp;
};

struct PacketCounts {
    uint64_t packets = 0;
    uint64_t not_ip = 0;
    uint64_t not_tcp = 0;
    uint64_t malformed = 0; // headers cut short or contradictory
    uint64_t fragments = 0;
    uint64_t bad_checksum = 0;
};

class PacketParser {
public:
    explicit PacketParser(bool verify_checksums) : verify_checksums_(verify_checksums) {}

    // `stamp` is when the packet was captured. The segment is valid as long as `packet`, and until the next call.
    std::optional<Segment> Parse(Layer first, View packet, Time stamp);

    const PacketCounts& Counts() const { return counts_; }

private:
    Step IpStep(View packet, Time stamp);
    std::optional<Segment> ParseTcp(View header);

    bool verify_checksums_;
    FragmentReassembler fragments_;
    PacketCounts counts_;
    IpPacket ip_; // the innermost so far
};

} // namespace mailtap::engine
