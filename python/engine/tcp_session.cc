#include "tcp_session.h"

#include "likely_server.h"

namespace mailtap::engine {

namespace {

// More than a segment of data doesn't go with a SYN.
constexpr uint32_t kMaxFastOpen = 64 * 1024;

bool IsSyn(const Segment& segment) { return segment.Has(kSyn) && ! segment.Has(kRst); }

// Whether a SYN-ACK answers the SYN of that number, and data that came with it (RFC 7413).
bool Answers(const Segment& segment, uint32_t isn) { return segment.acknowledgement - (isn + 1) <= kMaxFastOpen; }

// 0: the segment's sender is taken for the originator, 1: its receiver.
int OriginatorOf(const Segment& segment) {
    if ( IsSyn(segment) )
        return segment.Has(kAck) ? 1 : 0;
    return IsLikelyServerPort(segment.source.port) && ! IsLikelyServerPort(segment.destination.port) ? 1 : 0;
}

} // namespace

// Hands one side's bytes to the decoder.
class TcpSession::Feed : public Consumer {
public:
    Feed(TcpSession& session, int sender) : session_(session), sender_(sender) {}

    void Data(std::span<const uint8_t> bytes) override {
        decoder::Session& decoder = session_.Decoder();
        decoder.Data(DecoderSide(), bytes);
        session_.decoder_done_ = decoder.Done();
    }

    void Gap(uint64_t length) override {
        decoder::Session& decoder = session_.Decoder();
        decoder.Gap(DecoderSide(), length);
        session_.decoder_done_ = decoder.Done();
    }

    bool Wanted() const override { return ! session_.decoder_done_; }

private:
    decoder::Side DecoderSide() const {
        return sender_ == session_.originator_ ? decoder::Side::Orig : decoder::Side::Resp;
    }

    TcpSession& session_;
    int sender_;
};

TcpSession::TcpSession(const Segment& first, Time stamp, const decoder::Ports& ports, PendingTotal& total)
    : sides_{{first.source, total}, {first.destination, total}}, originator_(OriginatorOf(first)), ports_(ports),
      start_(stamp), end_(stamp) {}

bool TcpSession::IsSuccessor(const Segment& segment) const {
    if ( ! IsSyn(segment) )
        return false;
    const int sender = SenderOf(segment);
    const Side& own = sides_[sender];
    const Side& peer = sides_[1 - sender];
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

void TcpSession::Add(const Segment& segment, Time stamp) {
    const int sender = SenderOf(segment);
    Side& own = sides_[sender];
    Side& peer = sides_[1 - sender];
    ++own.packets;
    if ( stamp > end_ && stamp - end_ <= kInactivityTimeout ) // one further off is wrong
        end_ = stamp;

    if ( segment.Has(kRst) ) { // its sequence number and payload, if any, aren't the stream's
        reset_ = true;
        return;
    }
    Feed feed(*this, sender);
    uint32_t sequence = segment.sequence;
    if ( segment.Has(kSyn) ) {
        Handshake(segment, sender);
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
        peer.stream.Acknowledge(segment.acknowledgement);
}

void TcpSession::Handshake(const Segment& segment, int sender) {
    Side& own = sides_[sender];
    Side& peer = sides_[1 - sender];
    if ( ! decoder_ )
        originator_ = segment.Has(kAck) ? 1 - sender : sender;
    Feed feed(*this, sender);
    if ( ! own.isn || ! own.moved ) {
        own.isn = segment.sequence;
        own.stream.Synchronise(segment.sequence + 1, feed);
    }
    if ( segment.Has(kAck) && ! peer.isn ) {
        Feed peer_feed(*this, 1 - sender);
        peer.stream.Synchronise(segment.acknowledgement, peer_feed);
    }
}

bool TcpSession::Closed() const {
    const bool first = sides_[0].fin || sides_[0].packets == 0;
    const bool second = sides_[1].fin || sides_[1].packets == 0;
    return reset_ || (first && second);
}

void TcpSession::Finish() {
    for ( int side : {0, 1} ) {
        Feed feed(*this, side);
        sides_[side].stream.Flush(sides_[side].packets > 0, feed);
    }
}

decoder::Session& TcpSession::Decoder() {
    if ( ! decoder_ )
        decoder_ = std::make_unique<decoder::Session>(
            ports_, decoder::Connection{Originator().port, Responder().port, Midstream()});
    return *decoder_;
}

decoder::Facts TcpSession::Facts() const {
    const bool orig_seen = Packets(decoder::Side::Orig) > 0;
    const bool resp_seen = Packets(decoder::Side::Resp) > 0;
    decoder::Facts facts;
    if ( decoder_ )
        facts = decoder_->Result(orig_seen, resp_seen);
    else {
        const decoder::Session silent(ports_, {Originator().port, Responder().port, Midstream()});
        facts = silent.Result(orig_seen, resp_seen);
    }
    if ( ! facts.roles_by_content )
        facts.client = decoder::Side::Orig;
    return facts;
}

} // namespace mailtap::engine
