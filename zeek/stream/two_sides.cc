#include "two_sides.h"

namespace mailtap::stream {

namespace {

// More than a segment of data doesn't go with a SYN.
constexpr uint32_t kMaxFastOpen = 64 * 1024;

// Whether a SYN-ACK answers the SYN of that number, and data that came with it (RFC 7413).
bool Answers(const TcpSegment& segment, uint32_t isn) { return segment.acknowledgement - (isn + 1) <= kMaxFastOpen; }

} // namespace

// Hands one side's bytes to the decoder.
class TwoSides::Feed : public Consumer {
public:
    Feed(TwoSides& session, End sender) : session_(session), sender_(sender) {}

    void Data(std::span<const uint8_t> bytes) override { session_.Decoder().Data(DecoderSide(), bytes); }

    void Gap(uint64_t length) override { session_.Decoder().Gap(DecoderSide(), length); }

    bool Wanted() const override { return ! session_.decoder_ || ! session_.decoder_->Done(DecoderSide()); }

private:
    decoder::Side DecoderSide() const { return session_.SideOf(sender_); }

    TwoSides& session_;
    End sender_;
};

TwoSides::TwoSides(End originator, uint16_t first_port, uint16_t second_port, const decoder::Ports& ports,
                   PendingTotal& total, decoder::TlsListener* listener)
    : sides_{{first_port, total}, {second_port, total}}, ports_(ports), listener_(listener), originator_(originator) {}

void TwoSides::Add(End sender, const TcpSegment& segment) {
    Side& own = At(sender);
    ++own.packets;
    if ( segment.Has(kRst) ) { // its sequence number and payload, if any, aren't the stream's
        reset_ = true;
        return;
    }
    Feed feed(*this, sender);
    uint32_t sequence = segment.sequence;
    if ( segment.Has(kSyn) ) {
        Handshake(sender, segment);
        ++sequence;
    }
    else
        own.moved = true;
    own.stream.Add(sequence, segment.payload, feed);
    if ( segment.Has(kFin) ) {
        own.stream.End(sequence + static_cast<uint32_t>(segment.payload.wire));
        own.fin = true;
    }
    if ( segment.Has(kAck) )
        At(Other(sender)).stream.Acknowledge(segment.acknowledgement);
}

void TwoSides::Handshake(End sender, const TcpSegment& segment) {
    Side& own = At(sender);
    Side& peer = At(Other(sender));
    if ( ! decoder_ )
        originator_ = segment.Has(kAck) ? Other(sender) : sender;
    if ( ! own.isn || ! own.moved ) {
        Feed feed(*this, sender);
        own.isn = segment.sequence;
        own.stream.Synchronise(segment.sequence + 1, feed);
    }
    if ( segment.Has(kAck) && ! peer.isn ) {
        Feed feed(*this, Other(sender));
        peer.stream.Synchronise(segment.acknowledgement, feed);
    }
}

bool TwoSides::IsSuccessor(End sender, const TcpSegment& segment) const {
    if ( ! segment.Has(kSyn) || segment.Has(kRst) )
        return false;
    const Side& own = At(sender);
    const Side& peer = At(Other(sender));
    if ( own.isn && *own.isn == segment.sequence ) // sent again, as after a refusal too
        return Closed() && (own.stream.Bytes() > 0 || peer.stream.Bytes() > 0);
    if ( own.isn )
        return Closed() || own.moved || peer.packets > 0;
    // Its own later packets, or what it answers, may have been seen before it.
    const bool overtaken = own.stream.MayBeginAt(segment.sequence + 1);
    const bool answer =
        segment.Has(kAck) && (peer.isn ? Answers(segment, *peer.isn) : peer.stream.MayBeginAt(segment.acknowledgement));
    return ! overtaken && ! answer && (Closed() || own.moved || peer.moved || peer.isn);
}

bool TwoSides::Closed() const {
    const auto done = [](const Side& side) { return side.fin || side.packets == 0; };
    return reset_ || (done(sides_[0]) && done(sides_[1]));
}

bool TwoSides::Decided() const {
    if ( ! decoder_ )
        return false;
    const auto decided = [this](End end) {
        return decoder_->Done(SideOf(end)) && At(Other(end)).stream.Bytes() == 0 && At(end).packets > kMaxUnanswered;
    };
    return decoder_->Done() || decided(End::First) || decided(End::Second);
}

void TwoSides::Finish() {
    for ( End end : {End::First, End::Second} ) {
        Feed feed(*this, end);
        At(end).stream.Flush(At(end).packets > 0, feed);
    }
}

decoder::Session TwoSides::NewDecoder() const {
    return {ports_, decoder::Connection{At(originator_).port, At(Other(originator_)).port, Midstream()}, listener_};
}

decoder::Session& TwoSides::Decoder() {
    if ( ! decoder_ )
        decoder_.emplace(NewDecoder());
    return *decoder_;
}

decoder::Facts TwoSides::Facts() const {
    const bool orig_seen = Packets(originator_) > 0;
    const bool resp_seen = Packets(Other(originator_)) > 0;
    auto facts = decoder_ ? decoder_->Result(orig_seen, resp_seen) : NewDecoder().Result(orig_seen, resp_seen);
    if ( ! facts.roles_by_content )
        facts.client = decoder::Side::Orig;
    return facts;
}

} // namespace mailtap::stream
