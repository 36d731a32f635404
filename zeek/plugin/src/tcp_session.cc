#include "tcp_session.h"

namespace mailtap::plugin {

// Hands one side's bytes to the decoder.
class TcpSession::Feed : public engine::Consumer {
public:
    Feed(TcpSession& session, End sender) : session_(session), sender_(sender) {}

    void Data(std::span<const uint8_t> bytes) override {
        session_.Decoder().Data(session_.DecoderSide(sender_), bytes);
    }

    void Gap(uint64_t length) override { session_.Decoder().Gap(session_.DecoderSide(sender_), length); }

    bool Wanted() const override {
        return ! session_.decoder_ || ! session_.decoder_->Done(session_.DecoderSide(sender_));
    }

private:
    TcpSession& session_;
    End sender_;
};

TcpSession::TcpSession(End originator, uint16_t first_port, uint16_t second_port, const decoder::Ports& ports,
                       engine::PendingTotal& pending)
    : sides_{{first_port, pending}, {second_port, pending}}, originator_(originator), ports_(ports) {}

void TcpSession::Add(const Segment& segment) {
    Side& own = At(segment.sender);
    Side& peer = At(Other(segment.sender));
    ++own.packets;
    if ( segment.rst ) // its sequence number and payload, if any, aren't the stream's
        return;

    Feed feed(*this, segment.sender);
    uint32_t sequence = segment.sequence;
    if ( segment.syn ) {
        Handshake(segment);
        ++sequence;
    }
    else
        own.moved = true;
    own.stream.Add(sequence, segment.payload, feed);
    if ( segment.fin )
        own.stream.End(sequence + static_cast<uint32_t>(segment.payload.wire));
    if ( segment.ack )
        peer.stream.Acknowledge(segment.acknowledgement);
}

void TcpSession::Handshake(const Segment& segment) {
    Side& own = At(segment.sender);
    Side& peer = At(Other(segment.sender));
    if ( ! decoder_ )
        originator_ = segment.ack ? Other(segment.sender) : segment.sender;
    if ( ! own.isn || ! own.moved ) {
        Feed feed(*this, segment.sender);
        own.isn = segment.sequence;
        own.stream.Synchronise(segment.sequence + 1, feed);
    }
    if ( segment.ack && ! peer.isn ) {
        Feed feed(*this, Other(segment.sender));
        peer.stream.Synchronise(segment.acknowledgement, feed);
    }
}

void TcpSession::Finish() {
    for ( End end : {End::First, End::Second} ) {
        Feed feed(*this, end);
        At(end).stream.Flush(At(end).packets > 0, feed);
    }
}

decoder::Session TcpSession::NewDecoder() const {
    return {ports_, {At(originator_).port, At(Other(originator_)).port, Midstream()}};
}

decoder::Session& TcpSession::Decoder() {
    if ( ! decoder_ )
        decoder_ = std::make_unique<decoder::Session>(NewDecoder());
    return *decoder_;
}

decoder::Facts TcpSession::Facts() const {
    const bool orig_seen = Packets(originator_) > 0;
    const bool resp_seen = Packets(Other(originator_)) > 0;
    return decoder_ ? decoder_->Result(orig_seen, resp_seen) : NewDecoder().Result(orig_seen, resp_seen);
}

End TcpSession::Client(const decoder::Facts& facts) const {
    const bool originator = ! facts.roles_by_content || facts.client == decoder::Side::Orig;
    return originator ? originator_ : Other(originator_);
}

} // namespace mailtap::plugin
