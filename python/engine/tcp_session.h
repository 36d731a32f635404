// One TCP session of a capture: whose packets were seen, when, and what they carried.

#pragma once

#include "clock.h"
#include "packet.h"
#include "stream/two_sides.h"

namespace mailtap::engine {

// Zeek's tcp_inactivity_timeout: a session that was quiet for longer has ended.
constexpr Time kInactivityTimeout = 300 * kSecond;

class TcpSession {
public:
    // `first` decides who is taken for the originator, until a handshake says better.
    TcpSession(const Segment& first, Time stamp, const decoder::Ports& ports, stream::PendingTotal& total);

    // Whether the segment opens another session between the same endpoints.
    bool IsSuccessor(const Segment& segment) const { return sides_.IsSuccessor(SenderOf(segment), segment.tcp); }

    void Add(const Segment& segment, Time stamp);

    // Both sides are done, as far as they were seen.
    bool Closed() const { return sides_.Closed(); }

    // Nothing more will come.
    void Finish() { sides_.Finish(); }

    // Both sides' packets, and the decoder's facts.
    const stream::TwoSides& Sides() const { return sides_; }

    // By TCP role; Sides() tells the mail client's side.
    const Endpoint& EndpointOf(decoder::Side side) const {
        return sides_.EndOf(side) == stream::End::First ? first_ : second_;
    }
    const Endpoint& Originator() const { return EndpointOf(decoder::Side::Orig); }
    const Endpoint& Responder() const { return EndpointOf(decoder::Side::Resp); }
    Time Start() const { return start_; }
    Time Duration() const { return end_ - start_; }

private:
    stream::End SenderOf(const Segment& segment) const {
        return segment.source == first_ ? stream::End::First : stream::End::Second;
    }

    Endpoint first_; // the first packet's sender
    Endpoint second_;
    stream::TwoSides sides_;
    Time start_;
    Time end_;
};

} // namespace mailtap::engine
