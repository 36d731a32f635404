// What both sides show together: a pure function of the two sides' facts, so that it doesn't matter how they
// interleaved.

#pragma once

#include "facts.h"
#include "side.h"

namespace mailtap::decoder {

// A side, and the service that its peer's or its own port stands for.
struct SeenSide {
    const SideDecoder* decoder = nullptr;
    bool seen = false; // packets of it came, with payload or not
    bool recognised = false;
};

Facts Combine(const SeenSide& orig, const SeenSide& resp);

} // namespace mailtap::decoder
