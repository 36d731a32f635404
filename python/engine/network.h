// IPv4 and IPv6 headers.

#pragma once

#include <optional>

#include "address.h"
#include "layer.h"

namespace mailtap::engine {

// Protocol numbers (IANA) that lead on to TCP.
enum Protocol : uint8_t {
    kIpInIp = 4,
    kTcp = 6,
    kUdp = 17,
    kIp6InIp = 41,
    kGre = 47,
    kAuthenticationHeader = 51,
};

struct Fragment {
    uint32_t id = 0;
    std::size_t offset = 0; // in bytes
    bool more = false;
};

struct IpPacket {
    Address source;
    Address destination;
    uint8_t protocol = 0;
    View payload;
    std::optional<Fragment> fragment; // set: `payload` is a part of one
    View header;                      // IPv4 only, for its checksum
};

// Nothing when the header is cut or makes no sense.
std::optional<IpPacket> ParseIp(View packet);

// Skips the headers between IP's own and the upper layer, as far as a fragment's. False when they make no sense.
bool SkipExtensions(IpPacket& packet);

} // namespace mailtap::engine
