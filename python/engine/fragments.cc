#include "fragments.h"

namespace mailtap::engine {

bool FragmentReassembler::Pieces::BelongsTo(const IpPacket& packet) const {
    return id == packet.fragment->id && protocol == packet.protocol && source == packet.source &&
           destination == packet.destination;
}

// False as long as a piece is missing. Where pieces overlap, the one with the lower offset counts.
bool FragmentReassembler::Pieces::Assemble(std::vector<uint8_t>& whole) {
    if ( ! length )
        return false;
    std::ranges::stable_sort(pieces, {}, &Piece::offset);
    whole.clear();
    for ( const Piece& piece : pieces ) {
        if ( piece.offset > whole.size() )
            return false;
        const std::size_t known = std::min(whole.size() - piece.offset, piece.bytes.size());
        whole.insert(whole.end(), piece.bytes.begin() + static_cast<std::ptrdiff_t>(known), piece.bytes.end());
    }
    return whole.size() >= *length;
}

std::optional<View> FragmentReassembler::Add(const IpPacket& packet) {
    const Fragment& fragment = *packet.fragment;
    const std::size_t end = fragment.offset + packet.payload.wire;
    const bool cut = packet.payload.bytes.size() < packet.payload.wire;
    if ( end > kMaxPacket || cut )
        return std::nullopt;

    auto known = std::ranges::find_if(packets_, [&](const Pieces& pieces) { return pieces.BelongsTo(packet); });
    if ( known == packets_.end() ) {
        if ( packets_.size() == kMaxFragmentedPackets )
            packets_.pop_front();
        packets_.push_back({packet.source, packet.destination, packet.protocol, fragment.id, {}, {}});
        known = std::prev(packets_.end());
    }
    if ( known->pieces.size() == kMaxFragments ) {
        packets_.erase(known);
        return std::nullopt;
    }
    known->pieces.push_back({fragment.offset, {packet.payload.bytes.begin(), packet.payload.bytes.end()}});
    if ( ! fragment.more )
        known->length = end;
    if ( ! known->Assemble(whole_) )
        return std::nullopt;
    const std::size_t length = *known->length;
    packets_.erase(known);
    return View{whole_, whole_.size()}.First(length);
}

} // namespace mailtap::engine
