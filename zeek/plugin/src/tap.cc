#include "tap.h"

#include <netinet/tcp.h>
#include <zeek/Conn.h>
#include <zeek/IP.h>
#include <zeek/packet_analysis/protocol/tcp/TCPSessionAdapter.h>

#include <algorithm>
#include <cstring>

#include "events.bif.h"
#include "record.h"

namespace mailtap::plugin {

using stream::End;

namespace {

// Bytes that the sessions of this process hold behind holes.
stream::PendingTotal pending;

// A packet's header need not lie where its fields would be aligned.
tcphdr HeaderOf(const zeek::IP_Hdr* ip) {
    tcphdr header;
    std::memcpy(&header, ip->Payload(), sizeof(header)); // Zeek has checked that it is there
    return header;
}

stream::TcpSegment SegmentOf(const zeek::IP_Hdr* ip, const tcphdr& header, std::span<const uint8_t> payload) {
    // With segmentation offload the IP header may give no length.
    const auto wire = ip->TotalLen() == 0 ? payload.size() : std::size_t{ip->PayloadLen()} - header.th_off * 4u;
    return {.sequence = ntohl(header.th_seq),
            .acknowledgement = ntohl(header.th_ack),
            .flags = header.th_flags,
            .payload = {payload, std::max(wire, payload.size())}};
}

} // namespace

Tap::Tap(zeek::Connection* connection, const decoder::Ports& ports, bool silent_sessions)
    : Analyzer(kAnalyzerName, connection), ports_(ports), silent_sessions_(silent_sessions),
      first_address_(connection->OrigAddr()), first_port_(ntohs(static_cast<uint16_t>(connection->OrigPort()))),
      second_port_(ntohs(static_cast<uint16_t>(connection->RespPort()))) {
    const bool first_serves = ports_.ServiceOf(first_port_) != decoder::Service::None &&
                              ports_.ServiceOf(second_port_) == decoder::Service::None;
    session_ = std::make_unique<stream::TwoSides>(first_serves ? End::Second : End::First, first_port_, second_port_,
                                                  ports_, pending);
}

void Tap::DeliverPacket(int length, const u_char* data, bool is_orig, uint64_t relative_sequence,
                        const zeek::IP_Hdr* ip, int captured) {
    Analyzer::DeliverPacket(length, data, is_orig, relative_sequence, ip, captured);
    if ( ! session_ )
        return;

    const tcphdr header = HeaderOf(ip);
    const End sender = IsFirst(ip->IPHeaderSrcAddr(), ntohs(header.th_sport)) ? End::First : End::Second;
    const std::span<const uint8_t> payload(data, static_cast<std::size_t>(std::max(length, 0)));
    session_->Add(sender, SegmentOf(ip, header, payload));

    if ( ! payload.empty() && ! kept_open_ && (OnMailPort() || session_->Certain() != decoder::Service::None) )
        KeepOpen();
    if ( session_->TlsStarted() && ! tls_announced_ ) {
        tls_announced_ = true;
        if ( auto record = Record() )
            zeek::BifEvent::MailTap::enqueue_tls_started(this, Conn(), std::move(record));
    }
    if ( session_->Decoded() && ! OnMailPort() && session_->Facts().service == decoder::Service::None ) {
        session_.reset();
        Remove();
    }
}

zeek::packet_analysis::TCP::TCPSessionAdapter& Tap::Adapter() const {
    return *static_cast<zeek::packet_analysis::TCP::TCPSessionAdapter*>(Conn()->GetSessionAdapter());
}

void Tap::KeepOpen() {
    using namespace zeek::analyzer::tcp;
    if ( Adapter().OrigState() == TCP_ENDPOINT_SYN_SENT && Adapter().RespState() == TCP_ENDPOINT_INACTIVE ) {
        Adapter().Orig()->SetState(TCP_ENDPOINT_ESTABLISHED);
        kept_open_ = true;
    }
}

void Tap::StopKeepingOpen() {
    using namespace zeek::analyzer::tcp;
    if ( kept_open_ && Adapter().OrigState() == TCP_ENDPOINT_ESTABLISHED &&
         Adapter().RespState() == TCP_ENDPOINT_INACTIVE )
        Adapter().Orig()->SetState(TCP_ENDPOINT_SYN_SENT);
}

zeek::RecordValPtr Tap::Record() const {
    if ( ! session_ )
        return nullptr;
    const auto facts = session_->Facts();
    if ( ! HasRecord(facts) )
        return nullptr;
    const bool orig_first = IsFirst(Conn()->OrigAddr(), ntohs(static_cast<uint16_t>(Conn()->OrigPort())));
    const bool orig_is_client = (session_->EndOf(facts.client) == End::First) == orig_first;
    return MakeRecord(*Conn(), *session_, facts, orig_is_client);
}

zeek::RecordValPtr Tap::Progress() const {
    if ( ! session_ )
        return nullptr;
    const auto facts = session_->Facts();
    return HasRecord(facts) ? MakeProgress(*session_, facts) : nullptr;
}

void Tap::Done() {
    Analyzer::Done();
    if ( ! session_ )
        return;
    StopKeepingOpen();
    session_->Finish();
    if ( session_->Silent() && ! silent_sessions_ ) {
        session_.reset();
        return;
    }
    if ( auto record = Record() )
        zeek::BifEvent::MailTap::enqueue_session_ended(this, Conn(), std::move(record));
    session_.reset();
}

} // namespace mailtap::plugin
