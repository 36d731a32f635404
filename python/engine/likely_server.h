// Which end of a session is the server's when its beginning was not seen.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace mailtap::engine {

// Ports that servers listen on and clients don't call from, beside the mail ports of the options. In order.
constexpr std::array<uint16_t, 33> kLikelyServerPorts = {
    21,  22,  23,  25,  53,  80,   81,   88,   110,  119,  143,  389,  443,  445,  465,  587, 636,
    853, 989, 990, 993, 995, 1080, 1143, 2525, 3128, 3306, 3389, 5222, 5432, 6379, 8080, 8443};

constexpr bool IsLikelyServerPort(uint16_t port) { return std::ranges::binary_search(kLikelyServerPorts, port); }

} // namespace mailtap::engine
