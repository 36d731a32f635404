// The headers around a TCP segment: which there are, and the step from one to the next.

#pragma once

#include <cstdint>

#include "stream/view.h"

namespace mailtap::engine {

using stream::View;

enum class Layer : uint8_t {
    Unknown,   // nothing that could carry TCP
    Malformed, // a header cut short or contradictory
    Dropped,   // left out on purpose
    Ethernet,
    LinuxCooked,
    LinuxCooked2,
    Loopback,
    Ppp,
    Pppoe,
    Vlan,
    ProviderBackbone,
    Llc,
    Mpls,
    Ip,
    Tcp,
    Gre,
    Vxlan,
    Geneve,
    GtpUser,
};

// What a header announces: the next header's kind, and its bytes with all that follows them.
struct Step {
    Layer layer = Layer::Unknown;
    View view;
};

} // namespace mailtap::engine
