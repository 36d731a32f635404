// Combines the facts of both sides into the session's: a pure function of the two sides' facts, so that it doesn't
// matter how they interleaved.

#pragma once

#include <span>

#include "facts.h"
#include "side_facts.h"
#include "tls/facts.h"

namespace mailtap::decoder {

// A side as it was seen.
struct SeenSide {
    const SideFacts* facts = nullptr;
    const SideFacts* with_bare_line_ends = nullptr;  // see SideDecoder::ReadWithBareLineEnds
    std::span<const SideFactsMark> earlier_requests; // see SideDecoder::EarlierRequests
    const tls::Facts* tls = nullptr;                 // see SideDecoder::Tls
    bool seen = false;                               // packets of it came, with payload or not
    bool recognised = false;                         // its lines name the protocol
    Service upgraded_service = Service::None; // of the server's port, unless TLS begins there with the first byte
};

Facts Combine(const SeenSide& orig, const SeenSide& resp);

} // namespace mailtap::decoder
