// One TCP session as a tap sees it: both sides put in order, and what the decoder makes of them.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "decoder/session.h"
#include "engine/reassembly.h"

namespace mailtap::plugin {

// A segment's sender, by the two endpoints' order at the session's first packet. It stays when Zeek finds out later
// that the responder came first, and swaps the connection's roles.
enum class End : uint8_t { First, Second };

constexpr End Other(End end) { return end == End::First ? End::Second : End::First; }

struct Segment {
    End sender = End::First;
    uint32_t sequence = 0;
    uint32_t acknowledgement = 0;
    bool syn = false;
    bool ack = false;
    bool fin = false;
    bool rst = false;
    engine::View payload;
};

// Decodes each side whether or not the other one, the handshake or all of the bytes were seen. Zeek's own reassembly
// doesn't: it delivers nothing behind a hole until the missing bytes are acknowledged, which needs the other side.
class TcpSession {
public:
    // `originator` is the end to take for the one that opened the session, until a handshake says better. `ports` and
    // `pending` must outlive the session.
    TcpSession(End originator, uint16_t first_port, uint16_t second_port, const decoder::Ports& ports,
               engine::PendingTotal& pending);

    void Add(const Segment& segment);

    // Nothing more will come.
    void Finish();

    // The facts as if the session ended here, and the end in the client's role.
    decoder::Facts Facts() const;
    End Client(const decoder::Facts& facts) const;

    decoder::Service Certain() const { return decoder_ ? decoder_->Certain() : decoder::Service::None; }
    bool TlsStarted() const { return decoder_ && decoder_->TlsStarted(); }

    // More packets can't change the facts.
    bool Decoded() const { return decoder_ && decoder_->Done(); }

    // The handshake was not seen.
    bool Midstream() const { return ! At(End::First).isn && ! At(End::Second).isn; }

    uint64_t Packets(End end) const { return At(end).packets; }
    uint64_t Bytes(End end) const { return At(end).stream.Bytes(); }
    uint64_t GapBytes() const { return At(End::First).stream.GapBytes() + At(End::Second).stream.GapBytes(); }

private:
    struct Side {
        Side(uint16_t port, engine::PendingTotal& pending) : port(port), stream(pending) {}

        uint16_t port;
        engine::Reassembler stream;
        uint64_t packets = 0;
        std::optional<uint32_t> isn;
        bool moved = false; // sent more than its SYN
    };

    class Feed;

    Side& At(End end) { return sides_[static_cast<int>(end)]; }
    const Side& At(End end) const { return sides_[static_cast<int>(end)]; }
    decoder::Side DecoderSide(End end) const { return end == originator_ ? decoder::Side::Orig : decoder::Side::Resp; }
    void Handshake(const Segment& segment);
    decoder::Session NewDecoder() const;
    decoder::Session& Decoder();

    Side sides_[2];
    End originator_;
    const decoder::Ports& ports_;
    std::unique_ptr<decoder::Session> decoder_; // from the first payload on
};

} // namespace mailtap::plugin
