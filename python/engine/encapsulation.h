// Tunnels over IP: from an IP payload to the packet or frame carried in it.

#pragma once

#include "layer.h"

namespace mailtap::engine {

Step GreStep(View payload);

// A UDP datagram, when its ports are those of a tunnel.
Step UdpStep(View datagram);

Step VxlanStep(View payload);
Step GeneveStep(View payload);
Step GtpUserStep(View payload);

} // namespace mailtap::engine
