// Which protocol and role a line speaks for, and when a side's lines are enough to say so.

#pragma once

#include <string_view>

#include "side_facts.h"

namespace mailtap::decoder {

// What the host's ports and handshake suggest of a side before its first byte.
struct Presumption {
    Role role = Role::Unknown;         // by the handshake
    bool midstream = false;            // the first bytes may be the middle of anything
    Service as_client = Service::None; // the peer's port is this service's
    Service as_server = Service::None; // the side's own port is

    // Whether the handshake, or else the ports, contradict the role.
    bool Contradicts(Role candidate) const;
};

Weight WeightOf(Service service, Role role, std::string_view line);

// The protocol and role for which the line is the strongest evidence. Of equals, the one of the port's service.
Reading Read(std::string_view line, const Presumption& presumption);

// Whether the line is a greeting and nothing else, so that it is the first of its side.
bool IsGreeting(const Reading& reading, std::string_view line);

// Whether the lines seen are enough to name the protocol, given the service of the server's port. `peer`: the other
// side.
bool Recognised(const SideFacts& facts, const SideFacts* peer, bool midstream, Service port_service);

} // namespace mailtap::decoder
