#include "tap.h"

#include <netinet/tcp.h>
#include <zeek/Conn.h>
#include <zeek/IP.h>
#include <zeek/analyzer/Manager.h>
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

// The originator's state makes Zeek end the connection as an attempt, as long as the responder's is inactive.
bool IsAttempt(int originator_state) {
    return originator_state == zeek::analyzer::tcp::TCP_ENDPOINT_SYN_SENT ||
           originator_state == zeek::analyzer::tcp::TCP_ENDPOINT_SYN_ACK_SENT;
}

const zeek::Tag& AnalyzerTag() {
    static const zeek::Tag tag = zeek::analyzer_mgr->GetComponentTag(kAnalyzerName);
    return tag;
}

const zeek::Tag& TlsTag() {
    static const zeek::Tag tag = zeek::analyzer_mgr->GetComponentTag("SSL");
    return tag;
}

// The node's running numbers of its records.
uint64_t sessions_ended = 0;
uint64_t tls_starts = 0;

} // namespace

Tap::Tap(zeek::Connection* connection, const Settings& settings)
    : Analyzer(AnalyzerTag(), connection), settings_(settings), first_address_(connection->OrigAddr()),
      first_port_(ntohs(static_cast<uint16_t>(connection->OrigPort()))) {
    const auto second_port = ntohs(static_cast<uint16_t>(connection->RespPort()));
    const bool first_serves = settings_.ports.ServiceOf(first_port_) != decoder::Service::None;
    const bool second_serves = settings_.ports.ServiceOf(second_port) != decoder::Service::None;
    followed_ = on_mail_port_ = first_serves || second_serves;
    TlsListener* listener = settings_.follow_tls ? this : nullptr;
    session_.emplace(first_serves && ! second_serves ? End::Second : End::First, first_port_, second_port,
                     settings_.ports, pending, listener);
}

bool Tap::Wanted() { return ::MailTap::session_ended || ::MailTap::tls_started; }

Tap* Tap::Of(zeek::Connection& connection) {
    auto* adapter = connection.GetSessionAdapter();
    return adapter ? static_cast<Tap*>(adapter->FindChild(AnalyzerTag())) : nullptr;
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

    if ( state_before_ && ! is_orig )
        ResponderSeen(header.th_flags & TH_SYN);
    if ( ! followed_ )
        Decide();
    if ( followed_ && ! payload.empty() )
        KeepOpen();
    if ( session_ && ! tls_announced_ && session_->TlsStarted() ) {
        tls_announced_ = true;
        if ( ::MailTap::tls_started )
            Raise(::MailTap::tls_started, tls_starts);
    }
}

// By now Zeek's other analyzers have seen the packet. Where one of them followed the session into TLS it has attached
// the TLS analyzer itself.
bool Tap::Listens() {
    if ( follows_tls_ == Follows::Undecided ) {
        const bool followed = Conn()->GetSessionAdapter()->FindChild(TlsTag());
        follows_tls_ = ! followed && AddChildAnalyzer(TlsTag()) ? Follows::Yes : Follows::No;
    }
    // A script takes the analyzer away when the handshake is over.
    return follows_tls_ == Follows::Yes && HasChildAnalyzer(TlsTag());
}

void Tap::TlsData(decoder::Side side, std::string_view bytes) {
    const bool orig_first = IsFirst(Conn()->OrigAddr(), ntohs(static_cast<uint16_t>(Conn()->OrigPort())));
    const bool by_orig = (session_->EndOf(side) == End::First) == orig_first;
    ForwardStream(static_cast<int>(bytes.size()), reinterpret_cast<const u_char*>(bytes.data()), by_orig);
}

void Tap::Decide() {
    if ( session_->Certain() != decoder::Service::None )
        followed_ = true;
    else if ( session_->Decided() ) {
        followed_ = session_->Facts().service != decoder::Service::None;
        if ( ! followed_ )
            Leave();
    }
}

void Tap::Leave() {
    session_.reset();
    Remove();
}

zeek::packet_analysis::TCP::TCPSessionAdapter& Tap::Adapter() const {
    return *static_cast<zeek::packet_analysis::TCP::TCPSessionAdapter*>(Conn()->GetSessionAdapter());
}

void Tap::KeepOpen() {
    using namespace zeek::analyzer::tcp;
    if ( state_before_ || ! IsAttempt(Adapter().OrigState()) || Adapter().RespState() != TCP_ENDPOINT_INACTIVE )
        return;
    state_before_ = Adapter().OrigState();
    Adapter().Orig()->SetState(TCP_ENDPOINT_ESTABLISHED);
}

// Zeek took a packet of the responder without SYN for an established connection's, since the originator was.
void Tap::ResponderSeen(bool handshake) {
    using namespace zeek::analyzer::tcp;
    auto& orig = *Adapter().Orig();
    auto& resp = *Adapter().Resp();
    if ( ! handshake && orig.state == TCP_ENDPOINT_ESTABLISHED ) {
        orig.SetState(static_cast<EndpointState>(*state_before_));
        orig.prev_state = TCP_ENDPOINT_INACTIVE;
        if ( resp.state == TCP_ENDPOINT_ESTABLISHED ) {
            resp.SetState(TCP_ENDPOINT_PARTIAL);
            resp.prev_state = TCP_ENDPOINT_INACTIVE;
        }
    }
    state_before_.reset();
}

// At the connection's end. Zeek has taken it out of its statistics of states already, in the state that they knew.
void Tap::RestoreState() {
    using namespace zeek::analyzer::tcp;
    auto& orig = *Adapter().Orig();
    if ( state_before_ && orig.state == TCP_ENDPOINT_ESTABLISHED && Adapter().RespState() == TCP_ENDPOINT_INACTIVE ) {
        orig.state = static_cast<EndpointState>(*state_before_);
        orig.prev_state = TCP_ENDPOINT_INACTIVE;
    }
}

void Tap::Raise(const zeek::EventHandlerPtr& event, uint64_t& number) {
    const auto facts = session_->Facts();
    if ( ! HasRecord(facts) )
        return;
    const bool orig_first = IsFirst(Conn()->OrigAddr(), ntohs(static_cast<uint16_t>(Conn()->OrigPort())));
    const bool orig_is_client = (session_->EndOf(facts.client) == End::First) == orig_first;
    const auto& conn_val = Conn()->GetVal();
    auto record = MakeRecord(*Conn(), conn_val, *session_, facts, orig_is_client, ++number);
    EnqueueConnEvent(event, conn_val, std::move(record));
}

zeek::RecordValPtr Tap::Progress() const {
    if ( ! session_ )
        return NoProgress();
    const auto facts = session_->Facts();
    return HasRecord(facts) ? MakeProgress(*session_, facts) : NoProgress();
}

void Tap::Done() {
    if ( session_ ) {
        RestoreState();
        if ( ::MailTap::session_ended )
            AnnounceEnd();
        session_.reset();
    }
    Analyzer::Done();
}

void Tap::AnnounceEnd() {
    session_->Finish();
    if ( session_->Silent() && ! (settings_.silent_sessions && on_mail_port_) )
        return;
    Raise(::MailTap::session_ended, sessions_ended);
}

} // namespace mailtap::plugin
