// One TCP session: whose packets were seen, what they carried, and what the decoder makes of it.

#pragma once

#include <memory>
#include <optional>

#include "clock.h"
#include "decoder/session.h"
#include "packet.h"
#include "reassembly.h"

namespace mailtap::engine {

// Zeek's tcp_inactivity_timeout: a session that was quiet for longer has ended.
constexpr Time kInactivityTimeout = 300 * kSecond;

class TcpSession {
public:
    // `first` decides who is taken for the originator, until a handshake says better.
    TcpSession(const Segment& first, Time stamp, const decoder::Ports& ports, PendingTotal& total);

    // Whether the segment opens another session between the same endpoints.
    bool IsSuccessor(const Segment& segment) const;

    void Add(const Segment& segment, Time stamp);

    // Both sides are done, as far as they were seen.
    bool Closed() const;

    // Nothing more will come.
    void Finish();

    // The decoder's facts, roles included. After Finish().
    decoder::Facts Facts() const;

    const Endpoint& Originator() const { return sides_[originator_].endpoint; }
    const Endpoint& Responder() const { return sides_[1 - originator_].endpoint; }
    Time Start() const { return start_; }
    Time Duration() const { return end_ - start_; }
    bool Midstream() const { return ! sides_[0].isn && ! sides_[1].isn; }

    uint64_t Packets(decoder::Side side) const { return SideOf(side).packets; }
    uint64_t Bytes(decoder::Side side) const { return SideOf(side).stream.Bytes(); }
    uint64_t GapBytes() const { return sides_[0].stream.GapBytes() + sides_[1].stream.GapBytes(); }
    std::size_t DecoderMemory() const { return decoder_ ? decoder_->Memory() : 0; }

private:
    struct Side {
        Side(const Endpoint& endpoint, PendingTotal& total) : endpoint(endpoint), stream(total) {}

        Endpoint endpoint;
        Reassembler stream;
        uint64_t packets = 0;
        std::optional<uint32_t> isn;
        bool moved = false; // sent more than its SYN
        bool fin = false;
    };

    class Feed;

    const Side& SideOf(decoder::Side side) const {
        return sides_[side == decoder::Side::Orig ? originator_ : 1 - originator_];
    }
    int SenderOf(const Segment& segment) const { return segment.source == sides_[0].endpoint ? 0 : 1; }
    void Handshake(const Segment& segment, int sender);
    decoder::Session& Decoder();

    Side sides_[2]; // the first packet's sender, and the other
    int originator_;
    const decoder::Ports& ports_;
    std::unique_ptr<decoder::Session> decoder_; // from the first payload on
    bool decoder_done_ = false;
    bool reset_ = false;
    Time start_;
    Time end_;
};

} // namespace mailtap::engine
