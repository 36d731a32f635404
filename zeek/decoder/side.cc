#include "side.h"

#include <algorithm>

#include "text.h"
#include "tls.h"

namespace mailtap::decoder {

namespace {

constexpr uint8_t kMaxStrangeLines = 8;        // on a mail port, before its protocol shows
constexpr uint64_t kMaxSearched = 64 * 1024;   // without footing, on any other port
constexpr std::size_t kMaxSocksOpening = 1024; // the longest legal one is 792 bytes

bool IsProxyHeader(std::string_view line) { return line.starts_with("PROXY TCP") && line.size() <= 107; }

} // namespace

SideDecoder::SideDecoder(const Presumption& presumption) : presumption_(presumption) {
    facts_.lost = seeking_ = presumption.midstream;
}

void SideDecoder::Enter(Mode mode) {
    mode_ = mode;
    if ( mode == Mode::Opaque ) {
        lines_.Clear();
        header_lines_.Clear();
        header_.Begin();
        protocol_.emplace<std::monostate>();
    }
}

void SideDecoder::Data(std::string_view bytes) {
    while ( ! bytes.empty() && mode_ != Mode::Opaque ) {
        switch ( mode_ ) {
            case Mode::Opening:
            case Mode::Http:
            case Mode::Lines: Lines(bytes); break;
            case Mode::Probe: Probe(bytes); break;
            case Mode::Socks: Socks(bytes); break;
            case Mode::Header:
            case Mode::Body: Body(bytes); break;
            case Mode::Literal: Literal(bytes); break;
            case Mode::Chunk:
            case Mode::Skip:
            case Mode::Capture: Chunk(bytes); break;
            case Mode::Opaque: break;
        }
    }
}

void SideDecoder::Lines(std::string_view& bytes) {
    bool at_start = lines_.Pending().empty();
    if ( at_start && mode_ != Mode::Http ) {
        if ( MayBeTls(bytes.front()) ) {
            after_probe_ = mode_;
            Enter(Mode::Probe);
            return;
        }
        if ( mode_ == Mode::Opening && ! inner_ && ! facts_.lost && strange_lines_ == 0 &&
             MayBeSocks(static_cast<uint8_t>(bytes.front()), presumption_.role) ) {
            Enter(Mode::Socks);
            return;
        }
    }

    std::size_t before = bytes.size();
    std::string_view line;
    bool complete = lines_.Take(bytes, line);
    searched_ += before - bytes.size();
    if ( ! complete ) {
        // A first line that doesn't end is no mail protocol's.
        if ( mode_ == Mode::Opening && ! facts_.lost && lines_.Pending().size() > kMaxOpeningLine )
            Enter(Mode::Opaque);
        return;
    }

    switch ( mode_ ) {
        case Mode::Opening: OpeningLine(line); break;
        case Mode::Http:
            if ( searched_ > kMaxTunnelPreamble )
                Enter(Mode::Opaque);
            else
                Follow(http_.HeaderLine(line, facts_), line);
            break;
        default: ProtocolLine(line); break;
    }
}

void SideDecoder::Probe(std::string_view& bytes) {
    std::size_t take = std::min(kTlsProbe - lines_.Pending().size(), bytes.size());
    lines_.Append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    std::string_view probe = lines_.Pending();
    if ( probe.size() < kTlsProbe )
        return;

    if ( after_probe_ == Mode::Lines ? IsTlsRecord(probe) : IsTlsHello(probe) ) {
        if ( after_probe_ == Mode::Lines )
            facts_.tls_upgrade = true;
        else {
            facts_.tls_opening = true;
            facts_.opening_role = probe[5] == 1 ? Role::Client : Role::Server;
        }
        Enter(Mode::Opaque);
        return;
    }

    // Not TLS: the same bytes once more, as lines. They can't be probed again, since Pending isn't empty then.
    std::string again(probe);
    lines_.Clear();
    Enter(after_probe_);
    std::size_t end = again.find('\n');
    if ( end == std::string::npos ) {
        lines_.Append(again);
        return;
    }
    lines_.Append(std::string_view(again).substr(0, end));
    Data(std::string_view(again).substr(end));
}

void SideDecoder::Socks(std::string_view& bytes) {
    std::size_t pending = lines_.Pending().size();
    lines_.Append(bytes.substr(0, kMaxSocksOpening - pending));
    SocksOpening opening = ReadSocks(lines_.Pending(), presumption_.role);
    bool full = lines_.Pending().size() >= kMaxSocksOpening;
    if ( opening.state == SocksOpening::More && ! full ) {
        bytes = {};
        return;
    }

    lines_.Clear(); // it may have held a password
    if ( opening.state != SocksOpening::Open ) {
        Enter(Mode::Opaque);
        return;
    }
    facts_.tunnel = Tunnel::Socks;
    facts_.tunnel_port = opening.port;
    facts_.opening_role = presumption_.role;
    bytes.remove_prefix(opening.length - pending);
    Follow({.kind = Next::Inner}, {});
}

void SideDecoder::OpeningLine(std::string_view line) {
    if ( ! facts_.lost && line.size() >= kMaxOpeningLine ) {
        Enter(Mode::Opaque);
        return;
    }
    if ( line.empty() || IsProxyHeader(line) )
        return;
    if ( strange_lines_ == 0 && (IsHttpRequest(line) || IsHttpResponse(line)) ) {
        Enter(Mode::Http);
        Follow(http_.Begin(line, facts_), line);
        return;
    }

    Reading reading = Read(line, presumption_);
    bool first = strange_lines_ == 0;
    bool usual_port =
        reading.service != Service::None &&
        reading.service == (reading.role == Role::Client ? presumption_.as_client : presumption_.as_server);
    Weight needed = first ? (facts_.lost && ! usual_port ? kMedium : kWeak) : kStrong;
    if ( reading.weight >= needed ) {
        facts_.found_late = ! first;
        Adopt(reading);
        ProtocolLine(line);
        return;
    }

    // On a mail port a session may begin with other lines, or in the middle of something; elsewhere it is no mail.
    bool mail_port = presumption_.as_client != Service::None || presumption_.as_server != Service::None;
    if ( facts_.lost )
        strange_lines_ = 1;
    else if ( ! mail_port || ! IsText(line) || ++strange_lines_ > kMaxStrangeLines )
        Enter(Mode::Opaque);
    if ( ! mail_port && searched_ > kMaxSearched )
        Enter(Mode::Opaque);
}

void SideDecoder::Adopt(const Reading& reading) {
    facts_.reading = reading;
    facts_.weight_sum = 0;
    bool client = reading.role == Role::Client;
    switch ( reading.service ) {
        case Service::Smtp:
            if ( client )
                protocol_.emplace<smtp::Client>();
            else
                protocol_.emplace<smtp::Server>();
            break;
        case Service::Pop3:
            if ( client )
                protocol_.emplace<pop3::Client>();
            else
                protocol_.emplace<pop3::Server>();
            break;
        case Service::Imap:
            if ( client )
                protocol_.emplace<imap::Client>();
            else
                protocol_.emplace<imap::Server>();
            break;
        case Service::None: break;
    }
    Enter(Mode::Lines);
    seeking_ = false;
}

// Weighs a line of the protocol taken; finds out when another one was meant. False when the line doesn't count.
bool SideDecoder::Weigh(std::string_view line) {
    Reading& taken = facts_.reading;
    if ( taken.weight == kStrong && facts_.weight_sum >= kCertain && ! seeking_ )
        return true;
    Weight weight = WeightOf(taken.service, taken.role, line);
    if ( seeking_ ) {
        // A server's line stands only where lines stand; a client's may be a message's text.
        bool footing = weight >= kMedium || (taken.role == Role::Server && weight >= kWeak) ||
                       (taken.service == Service::Smtp ? smtp::EndsDataPhase(line) : weight >= kWeak);
        if ( ! footing )
            return false;
        seeking_ = false;
    }

    // POP3's answers hold lines of any form; its decoder knows which of them are strange.
    bool any_form = taken.service == Service::Pop3 && taken.role == Role::Server;
    if ( taken.weight < kStrong && weight == kNone && ! line.empty() && ! any_form ) {
        Reading other = Read(line, presumption_);
        if ( other.weight >= kMedium && other.role == taken.role ) {
            Adopt(other);
            weight = other.weight;
        }
        else
            facts_.strange = true;
    }
    taken.weight = std::max(taken.weight, weight);
    facts_.weight_sum = static_cast<uint16_t>(std::min<int>(kCertain, facts_.weight_sum + weight));
    return true;
}

void SideDecoder::ProtocolLine(std::string_view line) {
    auto in_exchange = [](const auto& protocol) {
        if constexpr ( requires { protocol.InExchange(); } )
            return protocol.InExchange();
        else
            return false;
    };
    // What answers a SASL challenge, or goes on behind a literal, is no line of its own.
    if ( (std::visit(in_exchange, protocol_) && ! seeking_) || Weigh(line) )
        Handle(line);
}

void SideDecoder::Handle(std::string_view line) {
    Next next = std::visit(
        [&](auto& protocol) -> Next {
            if constexpr ( requires { protocol.Line(line, facts_); } )
                return protocol.Line(line, facts_);
            else
                return {};
        },
        protocol_);
    Follow(next, line);
}

void SideDecoder::Follow(const Next& next, std::string_view line) {
    switch ( next.kind ) {
        case Next::Line: break;
        case Next::Message:
            header_.Begin();
            header_open_ = first_line_ = true;
            uncertain_ = list_ = false;
            Enter(Mode::Header);
            if ( next.replay )
                HeaderLine(std::string(line));
            break;
        case Next::List:
            list_ = true;
            uncertain_ = false;
            Enter(Mode::Body);
            if ( next.replay )
                BodyLine(std::string(line));
            break;
        case Next::Chunk:
            if ( ! message_open_ ) {
                header_.Begin();
                message_open_ = header_open_ = true;
            }
            last_chunk_ = next.last;
            remaining_ = next.length;
            Enter(Mode::Chunk);
            if ( remaining_ == 0 )
                EndChunk();
            break;
        case Next::Skip:
        case Next::Capture:
            remaining_ = next.length;
            if ( remaining_ == 0 && next.kind == Next::Skip && mode_ == Mode::Http )
                Enter(Mode::Opening);
            else if ( remaining_ > 0 )
                Enter(next.kind == Next::Capture                          ? Mode::Capture :
                      next.certain || facts_.reading.role == Role::Server ? Mode::Skip :
                                                                            Mode::Literal);
            break;
        case Next::Inner:
            inner_ = true;
            searched_ = 0;
            Enter(Mode::Opening);
            break;
        case Next::Opaque:
        case Next::Other: Enter(Mode::Opaque); break;
    }
}

void SideDecoder::Gap(uint64_t length) {
    if ( mode_ == Mode::Opaque )
        return;
    facts_.lost = true;
    header_lines_.Clear();
    auto interrupt = [](auto& protocol) {
        if constexpr ( requires { protocol.Interrupted(); } )
            protocol.Interrupted();
    };
    switch ( mode_ ) {
        case Mode::Opening:
        case Mode::Lines: End(); break;
        case Mode::Probe: Enter(after_probe_); break;
        case Mode::Socks:
        case Mode::Http: Enter(Mode::Opaque); break;
        case Mode::Header:
            header_.End(false, facts_);
            Enter(Mode::Body);
            [[fallthrough]];
        case Mode::Body: uncertain_ = true; break;
        case Mode::Chunk:
        case Mode::Literal:
        case Mode::Skip:
        case Mode::Capture:
            header_.End(false, facts_);
            header_open_ = false;
            if ( length > 0 && length <= remaining_ && mode_ != Mode::Literal ) {
                remaining_ -= length;
                if ( remaining_ == 0 )
                    EndChunk();
                return;
            }
            Enter(Mode::Lines);
            break;
        case Mode::Opaque: break;
    }
    std::visit(interrupt, protocol_);
    lines_.Clear();
    seeking_ = mode_ == Mode::Lines;
}

void SideDecoder::End() {
    if ( ! HasUnfinishedLine() )
        return;
    std::string line(lines_.Pending());
    lines_.Clear();
    if ( line.ends_with('\r') )
        line.pop_back();
    if ( line.empty() )
        return;
    if ( mode_ == Mode::Opening )
        OpeningLine(line);
    else
        ProtocolLine(line);
    Wipe(line);
}

std::size_t SideDecoder::Memory() const {
    auto heap = [](const std::string& text) { return text.capacity() > 15 ? text.capacity() + 1 : 0; };
    auto set = [&heap](const std::vector<std::string>& texts) {
        std::size_t bytes = texts.capacity() * sizeof(std::string);
        for ( const auto& text : texts )
            bytes += heap(text);
        return bytes;
    };
    auto protocol = [](const auto& parser) -> std::size_t {
        if constexpr ( requires { parser.Memory(); } )
            return parser.Memory();
        else
            return 0;
    };
    const SideFacts& f = facts_;
    return sizeof(*this) + lines_.Memory() + header_lines_.Memory() + header_.Memory() +
           std::visit(protocol, protocol_) + set(f.from) + set(f.to) + set(f.mailfrom) + set(f.rcptto) +
           heap(f.subject) + heap(f.msg_id) + heap(f.user_agent) + heap(f.helo) + heap(f.auth) + heap(f.user) +
           heap(f.last_command) + heap(f.last_reply) + heap(f.banner) + f.reply_log.capacity() * sizeof(Reply);
}

} // namespace mailtap::decoder
