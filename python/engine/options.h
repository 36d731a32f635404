// What a user may set.

#pragma once

#include <cstdint>
#include <string>

#include "decoder/session.h"
#include "stream/session_fields.h"

namespace mailtap::engine {

struct Options {
    stream::EffectiveThresholds effective;
    uint16_t community_id_seed = 0;
    bool verify_checksums = false; // leave packets with a wrong checksum out
    std::string node = "embedded";
    decoder::Ports ports;
};

} // namespace mailtap::engine
