// Both sides of a TCP session put in order, and what the decoder makes of them.

#pragma once

#include <cstdint>
#include <optional>

#include "decoder/session.h"
#include "reassembly.h"
#include "tcp_segment.h"

namespace mailtap::stream {

// The two ends of a session, by their order at its first packet. It stays when a handshake that is seen later says that
// the other one opened the session.
enum class End : uint8_t { First, Second };

constexpr End Other(End end) { return end == End::First ? End::Second : End::First; }

// So many packets of one side without any payload of the other are no dialogue's that is yet to begin.
constexpr uint64_t kMaxUnanswered = 8;

// Decodes each side whether or not the other one, the handshake or all of the bytes were seen.
class TwoSides {
public:
    // `originator` is taken for the end that opened the session, until a handshake says better. `ports`, `total` and
    // `listener`, which may be null, must outlive the session.
    TwoSides(End originator, uint16_t first_port, uint16_t second_port, const decoder::Ports& ports,
             PendingTotal& total, decoder::TlsListener* listener = nullptr);

    void Add(End sender, const TcpSegment& segment);

    // Whether the segment opens another session between the same ends.
    bool IsSuccessor(End sender, const TcpSegment& segment) const;

    // Nothing more will come.
    void Finish();

    // The decoder's facts as if the session ended here, roles included.
    decoder::Facts Facts() const;

    End Originator() const { return originator_; }
    End EndOf(decoder::Side side) const { return side == decoder::Side::Orig ? originator_ : Other(originator_); }
    decoder::Side SideOf(End end) const { return end == originator_ ? decoder::Side::Orig : decoder::Side::Resp; }

    // The handshake was not seen.
    bool Midstream() const { return ! At(End::First).isn && ! At(End::Second).isn; }

    // No payload came.
    bool Silent() const { return ! decoder_; }

    // What the decoder knows for sure so far.
    decoder::Service Certain() const { return decoder_ ? decoder_->Certain() : decoder::Service::None; }
    bool TlsStarted() const { return decoder_ && decoder_->TlsStarted(); }

    // More payload can't change what the session is. Where one side alone says anything, as on a tap that sees one way,
    // the other one gets kMaxUnanswered packets of time.
    bool Decided() const;

    // Both sides are done, as far as they were seen.
    bool Closed() const;

    uint64_t Packets(End end) const { return At(end).packets; }
    uint64_t Bytes(End end) const { return At(end).stream.Bytes(); }
    uint64_t GapBytes() const { return At(End::First).stream.GapBytes() + At(End::Second).stream.GapBytes(); }
    std::size_t DecoderMemory() const { return decoder_ ? decoder_->Memory() : 0; }

private:
    struct Side {
        Side(uint16_t port, PendingTotal& total) : stream(total), port(port) {}

        Reassembler stream;
        uint64_t packets = 0;
        std::optional<uint32_t> isn;
        uint16_t port;
        bool moved = false; // sent more than its SYN
        bool fin = false;
    };

    class Feed;

    Side& At(End end) { return sides_[static_cast<int>(end)]; }
    const Side& At(End end) const { return sides_[static_cast<int>(end)]; }
    void Handshake(End sender, const TcpSegment& segment);
    decoder::Session NewDecoder() const;
    decoder::Session& Decoder();

    Side sides_[2];
    const decoder::Ports& ports_;
    decoder::TlsListener* listener_;
    std::optional<decoder::Session> decoder_; // from the first payload on
    End originator_;
    bool reset_ = false;
};

} // namespace mailtap::stream
