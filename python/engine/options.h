// What a user may set.

#pragma once

#include <cstdint>
#include <string>

#include "decoder/session.h"

namespace mailtap::engine {

struct Options {
    // A session with more packets and more payload bytes than these is effective.
    uint64_t effective_packets = 3;
    uint64_t effective_bytes = 5;
    uint16_t community_id_seed = 0;
    bool verify_checksums = false; // leave packets with a wrong checksum out
    std::string node = "embedded";
    decoder::Ports ports;
};

} // namespace mailtap::engine
