#include "fragments.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace mailtap::engine {

bool FragmentReassembler::Incomplete::Takes(const IpPacket& packet) const {
    return id == packet.fragment->id && protocol == packet.protocol && source == packet.source &&
           destination == packet.destination;
}

bool FragmentReassembler::Incomplete::IsComplete() const {
    if ( ! length )
        return false;
    std::vector<std::pair<std::size_t, std::size_t>> ranges; // begin, end
    for ( const StoredFragment& fragment : fragments )
        ranges.emplace_back(fragment.offset, fragment.offset + fragment.bytes.size());
    std::ranges::sort(ranges);
    std::size_t known = 0;
    for ( const auto& [begin, end] : ranges ) {
        if ( begin > known )
            break;
        known = std::max(known, end);
    }
    return known >= *length;
}

void FragmentReassembler::Incomplete::Assemble(std::vector<uint8_t>& whole) const {
    whole.assign(*length, 0);
    for ( const StoredFragment& fragment : fragments ) {
        const std::size_t room = *length - std::min(*length, fragment.offset);
        const auto count = static_cast<std::ptrdiff_t>(std::min(room, fragment.bytes.size()));
        std::copy_n(fragment.bytes.begin(), count, whole.begin() + static_cast<std::ptrdiff_t>(*length - room));
    }
}

std::list<FragmentReassembler::Incomplete>::iterator FragmentReassembler::Find(const IpPacket& packet, Time stamp) {
    const auto known = std::ranges::find_if(packets_, [&](const Incomplete& other) { return other.Takes(packet); });
    if ( known == packets_.end() || std::abs(stamp - known->begun) <= kFragmentTimeout )
        return known;
    packets_.erase(known);
    return packets_.end();
}

std::optional<View> FragmentReassembler::Add(const IpPacket& packet, Time stamp) {
    const Fragment& fragment = *packet.fragment;
    const std::size_t end = fragment.offset + packet.payload.wire;
    const bool cut = packet.payload.bytes.size() < packet.payload.wire;
    if ( end > kMaxPacket || cut )
        return std::nullopt;

    auto known = Find(packet, stamp);
    if ( known == packets_.end() ) {
        if ( packets_.size() == kMaxFragmentedPackets )
            packets_.pop_front();
        packets_.push_back({packet.source, packet.destination, packet.protocol, fragment.id, stamp, {}, {}});
        known = std::prev(packets_.end());
    }
    if ( known->fragments.size() == kMaxFragments ) {
        packets_.erase(known);
        return std::nullopt;
    }
    known->fragments.push_back({fragment.offset, {packet.payload.bytes.begin(), packet.payload.bytes.end()}});
    if ( ! fragment.more )
        known->length = end;
    if ( ! known->IsComplete() )
        return std::nullopt;
    known->Assemble(whole_);
    packets_.erase(known);
    return View{whole_, whole_.size()};
}

} // namespace mailtap::engine
