// The internet checksum (RFC 1071).

#pragma once

#include "network.h"

namespace mailtap::engine {

// Whether the IPv4 header's checksum is right. IPv6 has none.
bool HeaderChecksumValid(const IpPacket& packet);

// Whether the TCP segment's checksum is right. One that was cut can't be checked and passes.
bool TcpChecksumValid(const IpPacket& packet);

} // namespace mailtap::engine
