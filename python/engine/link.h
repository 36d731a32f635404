// Link layers: from a frame to the IP packet in it.

#pragma once

#include <optional>

#include "layer.h"

namespace mailtap::engine {

// The first layer of a capture's link type (a DLT or LINKTYPE number), or nothing when it isn't known.
std::optional<Layer> FirstLayer(int link_type);

// The layer that an EtherType (or an 802.3 length) announces.
Step EtherTypeStep(uint16_t type, View payload);

Step EthernetStep(View frame);
Step LinuxCookedStep(View frame);
Step LinuxCooked2Step(View frame);
Step LoopbackStep(View frame);
Step PppStep(View frame);
Step PppoeStep(View frame);
Step VlanStep(View tag);
Step ProviderBackboneStep(View tag);
Step LlcStep(View header);
Step MplsStep(View labels);

} // namespace mailtap::engine
