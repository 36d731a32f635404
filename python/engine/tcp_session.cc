#include "tcp_session.h"

#include "likely_server.h"

namespace mailtap::engine {

using stream::End;

namespace {

bool IsServerPort(uint16_t port, const decoder::Ports& ports) {
    return ports.ServiceOf(port) != decoder::Service::None || IsLikelyServerPort(port);
}

// Who is taken for the originator by the session's first packet.
End OriginatorOf(const Segment& first, const decoder::Ports& ports) {
    if ( first.tcp.Has(stream::kSyn) && ! first.tcp.Has(stream::kRst) )
        return first.tcp.Has(stream::kAck) ? End::Second : End::First;
    const bool from_server = IsServerPort(first.source.port, ports) && ! IsServerPort(first.destination.port, ports);
    return from_server ? End::Second : End::First;
}

} // namespace

TcpSession::TcpSession(const Segment& first, Time stamp, const decoder::Ports& ports, stream::PendingTotal& total)
    : first_(first.source), second_(first.destination),
      sides_(OriginatorOf(first, ports), first.source.port, first.destination.port, ports, total), start_(stamp),
      end_(stamp) {}

void TcpSession::Add(const Segment& segment, Time stamp) {
    if ( stamp > end_ && stamp - end_ <= kInactivityTimeout ) // one further off is wrong
        end_ = stamp;
    sides_.Add(SenderOf(segment), segment.tcp);
}

} // namespace mailtap::engine
