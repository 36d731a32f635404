// Community ID version 1 (https://github.com/corelight/community-id-spec): a flow's name, which every tool computes
// alike.

#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace mailtap::stream {

// One end of a TCP session. `address` has 4 octets, or 16 for IPv6, in network order.
struct FlowEnd {
    std::span<const uint8_t> address;
    uint16_t port = 0;
};

// The same whichever end comes first.
std::string CommunityId(const FlowEnd& one, const FlowEnd& other, uint16_t seed);

} // namespace mailtap::stream
