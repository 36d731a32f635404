#include "encapsulation.h"

#include "link.h"

namespace mailtap::engine {

namespace {

constexpr std::size_t kUdpHeader = 8;
constexpr uint16_t kVxlanPort = 4789;   // RFC 7348
constexpr uint16_t kGenevePort = 6081;  // RFC 8926
constexpr uint16_t kGtpUserPort = 2152; // 3GPP TS 29.281
constexpr uint8_t kGtpPacket = 255;     // G-PDU

// GRE header bits (RFC 1701, 2784, 2890, 2637)
constexpr uint16_t kGreChecksum = 0x8000;
constexpr uint16_t kGreRouting = 0x4000;
constexpr uint16_t kGreKey = 0x2000;
constexpr uint16_t kGreSequence = 0x1000;
constexpr uint16_t kGreAcknowledgement = 0x0080;
constexpr uint16_t kGreVersion = 0x0007;

// GRE payloads that aren't EtherTypes
constexpr uint16_t kGrePpp = 0x880b;
constexpr uint16_t kGreErspan = 0x88be;
constexpr uint16_t kGreErspan3 = 0x22eb;
constexpr uint16_t kGreEoip = 0x6400;

} // namespace

Step GreStep(View payload) {
    if ( ! payload.Has(4) )
        return {Layer::Malformed, {}};
    const uint16_t flags = payload.U16(0);
    const uint16_t protocol = payload.U16(2);
    if ( flags & kGreRouting ) // source routes: RFC 2784 did away with them
        return {};
    if ( protocol == kGreEoip )
        return {Layer::Ethernet, payload.Skip(8)};

    std::size_t header = 4;
    header += flags & kGreChecksum ? 4 : 0;
    header += flags & kGreKey ? 4 : 0;
    header += flags & kGreSequence ? 4 : 0;
    if ( (flags & kGreVersion) == 1 )
        header += flags & kGreAcknowledgement ? 4 : 0;
    const View inner = payload.Skip(header);

    switch ( protocol ) {
        case kGrePpp: return {Layer::Ppp, inner};
        case kGreErspan: return {Layer::Ethernet, inner.Skip(flags & kGreSequence ? 8 : 0)}; // type II, else type I
        case kGreErspan3: return {Layer::Ethernet, inner.Skip(inner.U8(11) & 1 ? 20 : 12)};  // O bit: a subheader
        default: return EtherTypeStep(protocol, inner);
    }
}

Step UdpStep(View datagram) {
    if ( ! datagram.Has(kUdpHeader) )
        return {};
    const View payload = datagram.Skip(kUdpHeader);
    switch ( datagram.U16(2) ) {
        case kVxlanPort: return {Layer::Vxlan, payload};
        case kGenevePort: return {Layer::Geneve, payload};
        case kGtpUserPort: return {Layer::GtpUser, payload};
        default: return {};
    }
}

Step VxlanStep(View payload) {
    const bool valid = payload.Has(8) && (payload.U8(0) & 0x08); // the network identifier must be there
    return valid ? Step{Layer::Ethernet, payload.Skip(8)} : Step{};
}

Step GeneveStep(View payload) {
    const bool valid = payload.Has(8) && payload.U8(0) >> 6 == 0;
    const std::size_t options = (payload.U8(0) & 0x3f) * std::size_t{4};
    return valid ? EtherTypeStep(payload.U16(2), payload.Skip(8 + options)) : Step{};
}

Step GtpUserStep(View payload) {
    const uint8_t flags = payload.U8(0);
    const bool valid = payload.Has(8) && flags >> 4 == 3 && payload.U8(1) == kGtpPacket; // version 1, not GTP'
    if ( ! valid )
        return {};
    if ( (flags & 0x07) == 0 )
        return {Layer::Ip, payload.Skip(8)};
    uint8_t next = flags & 0x04 ? payload.U8(11) : 0;
    View inner = payload.Skip(12);
    while ( next != 0 ) { // extension headers, their length in units of four bytes
        const std::size_t length = inner.U8(0) * std::size_t{4};
        if ( length == 0 || ! inner.Has(length) )
            return {Layer::Malformed, {}};
        next = inner.U8(length - 1);
        inner = inner.Skip(length);
    }
    return {Layer::Ip, inner};
}

} // namespace mailtap::engine
