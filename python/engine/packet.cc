#include "packet.h"

#include "checksum.h"
#include "encapsulation.h"
#include "link.h"

namespace mailtap::engine {

namespace {

constexpr std::size_t kTcpHeader = 20;

Step NextStep(Step step) {
    switch ( step.layer ) {
        case Layer::Ethernet: return EthernetStep(step.view);
        case Layer::LinuxCooked: return LinuxCookedStep(step.view);
        case Layer::LinuxCooked2: return LinuxCooked2Step(step.view);
        case Layer::Loopback: return LoopbackStep(step.view);
        case Layer::Ppp: return PppStep(step.view);
        case Layer::Pppoe: return PppoeStep(step.view);
        case Layer::Vlan: return VlanStep(step.view);
        case Layer::ProviderBackbone: return ProviderBackboneStep(step.view);
        case Layer::Llc: return LlcStep(step.view);
        case Layer::Mpls: return MplsStep(step.view);
        case Layer::Gre: return GreStep(step.view);
        case Layer::Vxlan: return VxlanStep(step.view);
        case Layer::Geneve: return GeneveStep(step.view);
        case Layer::GtpUser: return GtpUserStep(step.view);
        case Layer::Ip:
        case Layer::Tcp:
        case Layer::Dropped:
        case Layer::Malformed:
        case Layer::Unknown: break;
    }
    return {};
}

} // namespace

std::optional<Segment> PacketParser::Parse(Layer first, View packet, Time stamp) {
    ++counts_.packets;
    Step step{first, packet};
    bool ip_seen = false;
    for ( int depth = 0; depth < kMaxLayers; ++depth ) {
        switch ( step.layer ) {
            case Layer::Ip:
                step = IpStep(step.view, stamp);
                ip_seen = true;
                break;
            case Layer::Tcp: return ParseTcp(step.view);
            case Layer::Unknown: ++(ip_seen ? counts_.not_tcp : counts_.not_ip); return std::nullopt;
            case Layer::Dropped: return std::nullopt;
            case Layer::Malformed: ++counts_.malformed; return std::nullopt;
            default: step = NextStep(step); break;
        }
    }
    ++counts_.malformed;
    return std::nullopt;
}

Step PacketParser::IpStep(View packet, Time stamp) {
    auto ip = ParseIp(packet);
    if ( ! ip || ! SkipExtensions(*ip) )
        return {Layer::Malformed, {}};
    if ( verify_checksums_ && ! HeaderChecksumValid(*ip) ) {
        ++counts_.bad_checksum;
        return {Layer::Dropped, {}};
    }
    if ( ip->fragment ) {
        ++counts_.fragments;
        const auto whole = fragments_.Add(*ip, stamp);
        if ( ! whole )
            return {Layer::Dropped, {}};
        ip->payload = *whole;
        ip->fragment.reset();
        if ( ! SkipExtensions(*ip) || ip->fragment )
            return {Layer::Malformed, {}};
    }
    ip_ = *ip;
    switch ( ip_.protocol ) {
        case kTcp:
            if ( verify_checksums_ && ! TcpChecksumValid(ip_) ) {
                ++counts_.bad_checksum;
                return {Layer::Dropped, {}};
            }
            return {Layer::Tcp, ip_.payload};
        case kUdp: return UdpStep(ip_.payload);
        case kGre: return {Layer::Gre, ip_.payload};
        case kIpInIp:
        case kIp6InIp: return {Layer::Ip, ip_.payload};
        default: return {};
    }
}

std::optional<Segment> PacketParser::ParseTcp(View header) {
    const std::size_t length = (header.U8(12) >> 4) * std::size_t{4};
    if ( ! header.Has(kTcpHeader) || length < kTcpHeader || length > header.wire ) {
        ++counts_.malformed;
        return std::nullopt;
    }
    return Segment{
        .source = {ip_.source, header.U16(0)},
        .destination = {ip_.destination, header.U16(2)},
        .tcp = {.sequence = header.U32(4),
                .acknowledgement = header.U32(8),
                .flags = header.U8(13),
                .payload = header.Skip(length)},
    };
}

} // namespace mailtap::engine
