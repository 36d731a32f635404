#include "link.h"

namespace mailtap::engine {

namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kLargest8023Length = 1500;  // IEEE 802.3 3.2.6: below, the field is a length
constexpr std::size_t kPseudowireControlWord = 4; // RFC 4385

bool CarriesIp(uint16_t ether_type) {
    switch ( ether_type ) {
        case 0x0800:
        case 0x86dd:
        case 0x8100:
        case 0x88a8:
        case 0x9100:
        case 0x8864:
        case 0x8847: return true;
        default: return false;
    }
}

// Cisco's MetaData header, which TrustSec puts before a packet: so many options of four bytes, and what follows it.
Step MetaDataStep(View header) {
    const std::size_t options = 4 * std::size_t{header.U8(1)};
    if ( ! header.Has(4 + options) )
        return {Layer::Malformed, {}};
    return EtherTypeStep(header.U16(2 + options), header.Skip(4 + options));
}

} // namespace

std::optional<Layer> FirstLayer(int link_type) {
    switch ( link_type ) {
        case 0:                           // DLT_NULL
        case 108: return Layer::Loopback; // DLT_LOOP
        case 1: return Layer::Ethernet;   // DLT_EN10MB
        case 9:                           // DLT_PPP
        case 50: return Layer::Ppp;       // DLT_PPP_SERIAL
        case 51: return Layer::Pppoe;     // DLT_PPP_ETHER
        case 12:                          // DLT_RAW
        case 14:                          // DLT_RAW on OpenBSD
        case 101:                         // LINKTYPE_RAW
        case 228:                         // DLT_IPV4
        case 229: return Layer::Ip;       // DLT_IPV6
        case 113: return Layer::LinuxCooked;
        case 276: return Layer::LinuxCooked2;
        default: return std::nullopt;
    }
}

Step EtherTypeStep(uint16_t type, View payload) {
    switch ( type ) {
        case 0x0800:
        case 0x86dd: return {Layer::Ip, payload};
        case 0x8100: // 802.1Q
        case 0x88a8: // 802.1ad
        case 0x9100: // QinQ before it had a number
        case 0x9200: return {Layer::Vlan, payload};
        case 0x8847:
        case 0x8848: return {Layer::Mpls, payload};
        case 0x8864: return {Layer::Pppoe, payload};
        case 0x88e7: return {Layer::ProviderBackbone, payload};
        case 0x8909: return MetaDataStep(payload);
        case 0x6558: return {Layer::Ethernet, payload}; // RFC 1701: transparent Ethernet bridging
        default: break;
    }
    return type <= kLargest8023Length ? Step{Layer::Llc, payload} : Step{};
}

Step EthernetStep(View frame) {
    if ( ! frame.Has(kEthernetHeader) )
        return {Layer::Malformed, {}};
    return EtherTypeStep(frame.U16(12), frame.Skip(kEthernetHeader));
}

Step LinuxCookedStep(View frame) {
    if ( ! frame.Has(16) )
        return {Layer::Malformed, {}};
    return EtherTypeStep(frame.U16(14), frame.Skip(16));
}

Step LinuxCooked2Step(View frame) {
    if ( ! frame.Has(20) )
        return {Layer::Malformed, {}};
    return EtherTypeStep(frame.U16(0), frame.Skip(20));
}

// The address family before the packet has the byte order and the numbers of the machine that captured it: the IP
// version says the same without either.
Step LoopbackStep(View frame) { return {Layer::Ip, frame.Skip(4)}; }

Step PppStep(View frame) {
    if ( frame.U8(0) == 0xff && frame.U8(1) == 0x03 ) // RFC 1662 3.1: address and control
        frame = frame.Skip(2);
    const bool compressed = frame.U8(0) & 1; // RFC 1661 6.5
    const uint16_t protocol = compressed ? frame.U8(0) : frame.U16(0);
    const View payload = frame.Skip(compressed ? 1 : 2);
    switch ( protocol ) {
        case 0x0021:
        case 0x0057: return {Layer::Ip, payload};
        case 0x0281:
        case 0x0283: return {Layer::Mpls, payload};
        default: return {};
    }
}

Step PppoeStep(View frame) {
    if ( frame.U8(1) != 0 ) // RFC 2516 4: only code 0 is the session
        return {};
    return {Layer::Ppp, frame.Skip(6)};
}

Step VlanStep(View tag) {
    if ( ! tag.Has(4) )
        return {Layer::Malformed, {}};
    return EtherTypeStep(tag.U16(2), tag.Skip(4));
}

// IEEE 802.1ah: the service tag is followed by the customer's own frame.
Step ProviderBackboneStep(View tag) { return {Layer::Ethernet, tag.Skip(4)}; }

Step LlcStep(View header) {
    const bool snap = header.Has(8) && header.U16(0) == 0xaaaa && header.U8(2) == 0x03;
    const uint32_t organisation = header.U32(2) & 0xffffff;
    if ( ! snap || (organisation != 0 && organisation != 0xf8) ) // RFC 1042; 802.1H's tunnelled frames
        return {};
    return EtherTypeStep(header.U16(6), header.Skip(8));
}

// Nothing in the labels says what they carry. RFC 4928 3: a first nibble of 4 or 6 is IP. Otherwise it is an
// Ethernet pseudowire, with a control word (RFC 4448 4.6) or without.
Step MplsStep(View labels) {
    bool bottom = false;
    while ( ! bottom ) {
        if ( ! labels.Has(4) )
            return {Layer::Malformed, {}};
        bottom = labels.U8(2) & 1;
        labels = labels.Skip(4);
    }
    const uint8_t nibble = labels.U8(0) >> 4;
    const bool ethernet = CarriesIp(labels.U16(12)) && ! CarriesIp(labels.U16(12 + kPseudowireControlWord));
    if ( (nibble == 4 && (labels.U8(0) & 0x0f) >= 5) || nibble == 6 )
        return {Layer::Ip, labels};
    if ( nibble == 0 && ! ethernet )
        return {Layer::Ethernet, labels.Skip(kPseudowireControlWord)};
    return {Layer::Ethernet, labels};
}

} // namespace mailtap::engine
