#include "network.h"

namespace mailtap::engine {

namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr int kMaxExtensions = 16;

// IPv6 extension headers (RFC 8200 4)
constexpr uint8_t kHopByHop = 0;
constexpr uint8_t kRouting = 43;
constexpr uint8_t kFragment = 44;
constexpr uint8_t kDestinationOptions = 60;
constexpr uint8_t kMobility = 135;

Address ReadAddress(View packet, std::size_t at, bool v6) {
    Address address;
    address.v6 = v6;
    std::ranges::copy(packet.bytes.subspan(at, v6 ? 16 : 4), address.bytes.begin());
    return address;
}

std::optional<IpPacket> ParseIpv4(View packet) {
    const std::size_t header = (packet.U8(0) & 0x0f) * std::size_t{4};
    if ( header < kIpv4Header || ! packet.Has(header) )
        return std::nullopt;
    const std::size_t total = packet.U16(2);
    if ( total != 0 ) { // 0: the sender's network card was to cut and fill it in
        if ( total < header )
            return std::nullopt;
        packet = packet.First(total);
    }
    IpPacket ip;
    ip.source = ReadAddress(packet, 12, false);
    ip.destination = ReadAddress(packet, 16, false);
    ip.protocol = packet.U8(9);
    ip.payload = packet.Skip(header);
    ip.header = packet.First(header);
    const uint16_t fragment = packet.U16(6);
    if ( fragment & 0x3fff )
        ip.fragment = Fragment{packet.U16(4), (fragment & 0x1fff) * std::size_t{8}, (fragment & 0x2000) != 0};
    return ip;
}

std::optional<IpPacket> ParseIpv6(View packet) {
    if ( ! packet.Has(kIpv6Header) )
        return std::nullopt;
    const std::size_t length = packet.U16(4);
    if ( length != 0 ) // 0: a jumbogram, or as above
        packet = packet.First(kIpv6Header + length);
    IpPacket ip;
    ip.source = ReadAddress(packet, 8, true);
    ip.destination = ReadAddress(packet, 24, true);
    ip.protocol = packet.U8(6);
    ip.payload = packet.Skip(kIpv6Header);
    return ip;
}

} // namespace

std::optional<IpPacket> ParseIp(View packet) {
    switch ( packet.U8(0) >> 4 ) {
        case 4: return ParseIpv4(packet);
        case 6: return ParseIpv6(packet);
        default: return std::nullopt;
    }
}

bool SkipExtensions(IpPacket& packet) {
    for ( int count = 0; count < kMaxExtensions && ! packet.fragment; ++count ) {
        const View header = packet.payload;
        std::size_t length = 8;
        switch ( packet.protocol ) {
            case kHopByHop:
            case kRouting:
            case kDestinationOptions:
            case kMobility: length += header.U8(1) * std::size_t{8}; break;
            case kAuthenticationHeader: length += header.U8(1) * std::size_t{4}; break; // RFC 4302 2.2
            case kFragment: {
                const Fragment fragment{header.U32(4), header.U16(2) & std::size_t{0xfff8}, (header.U8(3) & 1) != 0};
                if ( fragment.offset != 0 || fragment.more ) // else it is the whole packet (RFC 6946)
                    packet.fragment = fragment;
                break;
            }
            default: return true;
        }
        if ( ! header.Has(length) )
            return false;
        packet.protocol = header.U8(0);
        packet.payload = header.Skip(length);
    }
    return packet.fragment.has_value();
}

} // namespace mailtap::engine
