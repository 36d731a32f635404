#include "reassembly.h"

#include <algorithm>

namespace mailtap::stream {

namespace {

// The first sequence number's place in 64 bits: some room is left for earlier ones.
constexpr uint64_t kOrigin = uint64_t{1} << 32;

} // namespace

uint64_t Reassembler::Position(uint32_t sequence) const {
    if ( state_ == State::Unseen )
        return kOrigin + sequence;
    const auto distance = static_cast<int32_t>(sequence - static_cast<uint32_t>(next_));
    return next_ + static_cast<uint64_t>(static_cast<int64_t>(distance));
}

void Reassembler::Synchronise(uint32_t sequence, Consumer& consumer) {
    if ( state_ == State::Running && next_ != first_ )
        return;
    next_ = Position(sequence);
    seen_ = pending_.empty() ? next_ : seen_;
    while ( ! pending_.empty() && pending_.begin()->first < next_ )
        DropFirst();
    Run(consumer);
}

void Reassembler::Add(uint32_t sequence, View payload, Consumer& consumer) {
    uint64_t begin = Position(sequence);
    if ( state_ != State::Unseen && begin > next_ + kMaxWindow )
        return;
    uint64_t end = begin + payload.wire;
    if ( end_ && end > *end_ ) {
        end = std::max(begin, *end_);
        payload = payload.First(end - begin);
    }
    if ( state_ == State::Unseen ) {
        state_ = State::Held;
        next_ = begin;
    }
    seen_ = std::max(seen_, end);
    if ( state_ == State::Held ) {
        next_ = std::min(next_, begin);
        Hold(begin, payload, consumer.Wanted());
        held_segments_ += payload.wire > 0;
        if ( held_segments_ == kHeldSegments )
            Run(consumer);
        return;
    }
    if ( end <= next_ )
        return;
    if ( begin < next_ ) {
        payload = payload.Skip(next_ - begin);
        begin = next_;
    }
    if ( begin == next_ && pending_.empty() ) {
        Deliver(payload.bytes, payload.wire, payload.wire - payload.bytes.size(), consumer);
        return;
    }
    Hold(begin, payload, consumer.Wanted());
    DeliverPending(consumer);
    while ( ! pending_.empty() && (pending_bytes_ > kMaxPendingBytes || total_.bytes > kMaxPendingTotal) ) {
        SkipHole(pending_.begin()->first, consumer);
        DeliverPending(consumer);
    }
}

void Reassembler::End(uint32_t sequence) {
    const uint64_t position = Position(sequence);
    if ( ! end_ && state_ != State::Unseen && position >= next_ && position <= next_ + kMaxWindow )
        end_ = position;
}

void Reassembler::Acknowledge(uint32_t sequence) {
    const uint64_t position = Position(sequence);
    if ( state_ != State::Unseen && position <= next_ + kMaxWindow )
        acknowledged_ = std::max(acknowledged_, position);
}

void Reassembler::Flush(bool tail, Consumer& consumer) {
    if ( state_ == State::Held )
        Run(consumer);
    while ( ! pending_.empty() ) {
        SkipHole(pending_.begin()->first, consumer);
        DeliverPending(consumer);
    }
    if ( ! tail )
        return;
    const uint64_t known = end_.value_or(std::max(seen_, acknowledged_));
    const bool unseen_fin = ! end_ && known == next_ + 1; // a FIN takes a number too
    if ( known > next_ && ! unseen_fin )
        SkipHole(known, consumer);
}

uint64_t Reassembler::Bytes() const {
    // Before the side runs it is not known where its payload begins.
    uint64_t bytes = state_ == State::Running ? next_ - first_ - hole_bytes_ : 0;
    for ( const auto& [begin, chunk] : pending_ )
        bytes += chunk.length;
    return bytes;
}

bool Reassembler::MayBeginAt(uint32_t sequence) const {
    const uint64_t position = Position(sequence);
    if ( state_ == State::Running )
        return position == first_;
    return state_ == State::Held && position <= next_ && next_ - position <= kMaxPendingBytes;
}

void Reassembler::Run(Consumer& consumer) {
    state_ = State::Running;
    first_ = next_;
    DeliverPending(consumer);
}

void Reassembler::Deliver(std::span<const uint8_t> bytes, uint64_t length, uint64_t cut, Consumer& consumer) {
    next_ += length;
    cut_bytes_ += cut;
    if ( ! consumer.Wanted() )
        return;
    if ( ! bytes.empty() )
        consumer.Data(bytes);
    if ( cut > 0 )
        consumer.Gap(cut);
}

void Reassembler::DeliverPending(Consumer& consumer) {
    while ( ! pending_.empty() && pending_.begin()->first == next_ ) {
        const Chunk& chunk = pending_.begin()->second;
        Deliver(chunk.bytes, chunk.length, chunk.cut, consumer);
        DropFirst();
    }
}

void Reassembler::Hold(uint64_t begin, View payload, bool wanted) {
    const uint64_t end = begin + payload.wire;
    auto chunk = pending_.upper_bound(begin);
    if ( chunk != pending_.begin() && std::prev(chunk)->first + std::prev(chunk)->second.length > begin )
        --chunk;
    while ( begin < end ) {
        const bool covered = chunk != pending_.end() && chunk->first <= begin;
        const uint64_t stop = chunk == pending_.end() ? end : std::min(end, chunk->first);
        if ( ! covered )
            HoldPiece(chunk, begin, payload.First(stop - begin), wanted);
        const uint64_t next = covered ? std::min(end, chunk->first + chunk->second.length) : stop;
        payload = payload.Skip(next - begin);
        begin = next;
        if ( covered )
            ++chunk;
    }
}

void Reassembler::HoldPiece(std::map<uint64_t, Chunk>::iterator before, uint64_t begin, View piece, bool wanted) {
    Chunk chunk;
    chunk.length = piece.wire;
    chunk.cut = piece.wire - piece.bytes.size();
    if ( wanted )
        chunk.bytes.assign(piece.bytes.begin(), piece.bytes.end());
    pending_bytes_ += chunk.Cost();
    total_.bytes += chunk.Cost();
    pending_.emplace_hint(before, begin, std::move(chunk));
}

void Reassembler::DropFirst() {
    const std::size_t cost = pending_.begin()->second.Cost();
    pending_bytes_ -= cost;
    total_.bytes -= cost;
    pending_.erase(pending_.begin());
}

void Reassembler::SkipHole(uint64_t end, Consumer& consumer) {
    const uint64_t length = end - next_;
    next_ = end;
    hole_bytes_ += length;
    if ( consumer.Wanted() )
        consumer.Gap(length);
}

} // namespace mailtap::stream
