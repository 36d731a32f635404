#include "checksum.h"

namespace mailtap::engine {

namespace {

uint64_t Sum(std::span<const uint8_t> bytes) {
    uint64_t sum = 0;
    std::size_t at = 0;
    for ( ; at + 1 < bytes.size(); at += 2 )
        sum += static_cast<uint64_t>(bytes[at] << 8 | bytes[at + 1]);
    if ( at < bytes.size() )
        sum += static_cast<uint64_t>(bytes[at] << 8);
    return sum;
}

// A sum over data and their checksum comes out as all ones.
bool Valid(uint64_t sum) {
    while ( sum >> 16 )
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

} // namespace

bool HeaderChecksumValid(const IpPacket& packet) { return packet.source.v6 || Valid(Sum(packet.header.bytes)); }

bool TcpChecksumValid(const IpPacket& packet) {
    const View segment = packet.payload;
    if ( segment.bytes.size() < segment.wire )
        return true;
    const uint64_t pseudo_header =
        Sum(packet.source.Octets()) + Sum(packet.destination.Octets()) + packet.protocol + segment.wire;
    return Valid(pseudo_header + Sum(segment.bytes));
}

} // namespace mailtap::engine
