#include "side.h"

#include <algorithm>
#include <utility>

#include "text.h"
#include "tls.h"

namespace mailtap::decoder {

namespace {

constexpr uint8_t kMaxStrangeLines = 8;        // on a mail port, before its protocol shows
constexpr uint64_t kMaxSearched = 64 * 1024;   // without footing, on any other port
constexpr std::size_t kMaxSocksOpening = 1024; // the longest legal one is 792 bytes
constexpr uint8_t kCapabilitiesOfAList = 3;    // in a row: more than a client sends as commands

bool IsProxyHeader(std::string_view line) { return line.starts_with("PROXY TCP") && line.size() <= 107; }

// Calls `act` with the protocol's parser if the call compiles for it.
template <typename Protocol, typename Act>
void With(Protocol& protocol, const Act& act) {
    std::visit(
        [&act](auto& parser) {
            if constexpr ( requires { act(parser); } )
                act(parser);
        },
        protocol);
}

} // namespace

SideDecoder::SideDecoder(const Presumption& presumption) : presumption_(presumption) {
    facts_.lost = seeking_ = presumption.midstream;
}

void SideDecoder::Enter(Mode mode) {
    mode_ = mode;
    if ( mode != Mode::Opaque )
        return;
    lines_.Clear();
    held_.Clear();
    message_.GiveUp();
    recovery_.Begin(false);
    protocol_.emplace<std::monostate>();
    inflater_.Drop();
}

void SideDecoder::Data(std::string_view bytes) {
    facts_.spoke = true;
    if ( bare_ ) {
        bare_->Data(bytes);
        if ( bare_->unproven_ && bare_->Done() )
            bare_.Drop();
    }
    if ( inflater_ )
        Inflate(bytes);
    else
        Decode(bytes);
}

void SideDecoder::Inflate(std::string_view bytes) {
    bool whole = inflater_->Data(bytes, [this](std::string_view part) { Decode(part); });
    if ( ! whole || mode_ == Mode::Opaque )
        Enter(Mode::Opaque);
}

void SideDecoder::Decode(std::string_view bytes) {
    while ( ! bytes.empty() && mode_ != Mode::Opaque ) {
        switch ( mode_ ) {
            case Mode::Opening:
            case Mode::Http:
            case Mode::Recovery:
            case Mode::Lines: Lines(bytes); break;
            case Mode::TlsProbe: TlsProbe(bytes); break;
            case Mode::Socks: Socks(bytes); break;
            case Mode::Message: Message(bytes); break;
            case Mode::Literal: Literal(bytes); break;
            case Mode::Chunk:
            case Mode::Skip:
            case Mode::Capture: Counted(bytes); break;
            case Mode::DeflateProbe: DeflateProbe(bytes); break;
            case Mode::Opaque: break;
        }
    }
}

void SideDecoder::Lines(std::string_view& bytes) {
    bool at_start = lines_.Pending().empty();
    if ( at_start && mode_ != Mode::Http && ! inflater_ ) {
        if ( MayBeTls(bytes.front()) ) {
            after_probe_ = mode_;
            Enter(Mode::TlsProbe);
            return;
        }
        if ( mode_ == Mode::Opening && ! inner_ && ! facts_.lost && strange_lines_ == 0 &&
             MayBeSocks(static_cast<uint8_t>(bytes.front()), presumption_.role) ) {
            Enter(Mode::Socks);
            return;
        }
    }

    std::size_t before = bytes.size();
    Line line;
    bool complete = lines_.Take(bytes, line);
    searched_ += before - bytes.size();
    if ( ! complete ) {
        // A first line that doesn't end is no mail protocol's.
        if ( mode_ == Mode::Opening && ! facts_.lost && lines_.Pending().size() > kMaxOpeningLine )
            Enter(Mode::Opaque);
        return;
    }

    bare_lf_ = line.bare_lf;
    switch ( mode_ ) {
        case Mode::Opening: OpeningLine(line); break;
        case Mode::Recovery: RecoveryLine(line); break;
        case Mode::Http:
            if ( searched_ > kMaxTunnelPreamble )
                Enter(Mode::Opaque);
            else
                Follow(http_.HeaderLine(line.text, facts_), line);
            break;
        default: ProtocolLine(line); break;
    }
}

void SideDecoder::TlsProbe(std::string_view& bytes) {
    std::size_t take = std::min(kTlsProbe - lines_.Pending().size(), bytes.size());
    lines_.Append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if ( lines_.Pending().size() < kTlsProbe )
        return;

    SecretBuffer probe(lines_.Pending());
    lines_.Clear();
    bool opening = after_probe_ == Mode::Opening;
    if ( opening ? IsTlsHello(probe.View()) : IsTlsRecord(probe.View()) ) {
        Role role = probe.View()[5] == 1 ? Role::Client : Role::Server;
        if ( held_capabilities_ > 0 && opening ) {
            ReleaseCapabilities({.service = Service::Pop3, .role = role, .weight = kStrong});
            opening = false;
        }
        if ( after_probe_ == Mode::Recovery )
            ReleaseCommands();
        if ( opening ) {
            facts_.tls_opening = true;
            facts_.opening_role = role;
        }
        else
            facts_.tls_upgrade = true;
        Enter(Mode::Opaque);
        return;
    }

    // Not TLS: the same bytes once more, as lines. They can't be probed again, since Pending isn't empty then.
    Enter(after_probe_);
    std::size_t end = probe.View().find('\n');
    lines_.Append(probe.View().substr(0, end));
    if ( end != std::string_view::npos )
        Decode(probe.View().substr(end));
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

void SideDecoder::OpeningLine(const Line& line) {
    std::string_view text = line.text;
    if ( ! facts_.lost && text.size() >= kMaxOpeningLine ) {
        Enter(Mode::Opaque);
        return;
    }
    if ( text.empty() || IsProxyHeader(text) )
        return;
    if ( strange_lines_ == 0 && ! facts_.lost && (IsHttpRequest(text) || IsHttpResponse(text)) ) {
        Enter(Mode::Http);
        Follow(http_.Begin(text, facts_), line);
        return;
    }
    if ( MayBeCapability(text) ) {
        HoldCapability(line);
        return;
    }

    Reading reading = Read(text, presumption_);
    if ( held_capabilities_ > 0 ) {
        bool listed = text == "." || pop3::IsReply(text);
        SecretBuffer whole(text);
        ReleaseCapabilities(
            {.service = Service::Pop3, .role = listed ? Role::Server : Role::Client, .weight = kStrong});
        ProtocolLine({.text = whole.View(), .end = whole.View()});
        return;
    }

    // After missing bytes, the first line may be the rest of any line.
    bool first = strange_lines_ == 0;
    Service usual = reading.role == Role::Client ? presumption_.as_client : presumption_.as_server;
    bool usual_port = reading.service != Service::None && reading.service == usual;
    bool expected_role = ! presumption_.Contradicts(reading.role);
    Weight needed = first ? kWeak : kStrong;
    if ( usual_port && expected_role )
        needed = kWeak;
    else if ( facts_.lost && first )
        needed = kMedium;
    if ( reading.weight < needed || (facts_.lost && first && ! expected_role) ) {
        StrangeLine(text);
        return;
    }
    facts_.found_late = ! first;
    facts_.strange = ! first && reading.weight == kWeak; // it may be anything's line, as the ones before
    Adopt(reading);
    if ( facts_.lost && IsSmtpClient() && ! line.cut ) {
        Recover(false);
        RecoveryLine(line);
    }
    else
        ProtocolLine(line);
}

// On a mail port a session may begin with other lines, or in the middle of something; elsewhere it is no mail.
void SideDecoder::StrangeLine(std::string_view line) {
    bool mail_port = presumption_.as_client != Service::None || presumption_.as_server != Service::None;
    if ( facts_.lost )
        strange_lines_ = 1;
    else if ( ! mail_port || ! IsText(line) || ++strange_lines_ > kMaxStrangeLines )
        Enter(Mode::Opaque);
    if ( ! mail_port && searched_ > kMaxSearched )
        Enter(Mode::Opaque);
}

// Several POP3 capabilities are commands, too. Seen from the middle, such lines may be either side's.
bool SideDecoder::MayBeCapability(std::string_view line) const {
    return facts_.lost && presumption_.role != Role::Client && pop3::IsCapability(line);
}

void SideDecoder::HoldCapability(const Line& line) {
    held_.Append(line.text);
    held_.Append("\r\n");
    bool sure = pop3::IsCapabilityOnly(line.text) || ++held_capabilities_ == kCapabilitiesOfAList;
    if ( sure )
        ReleaseCapabilities({.service = Service::Pop3, .role = Role::Server, .weight = kStrong});
}

void SideDecoder::ReleaseCapabilities(const Reading& reading) {
    SecretBuffer lines = std::exchange(held_, SecretBuffer());
    held_capabilities_ = 0;
    facts_.found_late = strange_lines_ > 0;
    Adopt(reading);
    if ( auto* server = std::get_if<pop3::Server>(&protocol_) )
        server->ExpectAnswer();
    lines_.Clear();
    Decode(lines.View());
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
        if ( weight == kNone )
            return false;
        seeking_ = false;
    }

    // POP3's answers hold lines of any form; its decoder knows which of them are strange. A command may be unknown
    // here.
    bool any_form = (taken.service == Service::Pop3 && taken.role == Role::Server) ||
                    (taken.service == Service::Imap && taken.role == Role::Client && imap::HasCommandForm(line));
    if ( taken.weight < kStrong && weight == kNone && ! line.empty() && ! any_form ) {
        Reading other = Read(line, presumption_);
        if ( other.weight >= kMedium && other.role == taken.role ) {
            Adopt(other);
            weight = other.weight;
        }
        else
            facts_.strange = true;
    }
    facts_.AddWeight(weight);
    return true;
}

void SideDecoder::ProtocolLine(const Line& line) {
    if ( unproven_ ) {
        if ( ! smtp::IsWholeCommand(line.text) ) {
            Enter(Mode::Opaque);
            return;
        }
        unproven_ = false;
    }
    // What answers a SASL challenge, or goes on behind a literal, is no line of its own.
    bool in_exchange = false;
    With(protocol_,
         [&in_exchange](auto& parser) -> decltype(void(parser.InExchange())) { in_exchange = parser.InExchange(); });
    if ( (in_exchange && ! seeking_) || Weigh(line.text) )
        Handle(line);
}

// A line of an SMTP client after missing bytes.
void SideDecoder::RecoveryLine(const Line& line) {
    switch ( recovery_.Read(line) ) {
        case smtp::Recovery::Verdict::Undecided:
        case smtp::Recovery::Verdict::Text: break;
        case smtp::Recovery::Verdict::EndOfMessage: EndMessage(); break;
        case smtp::Recovery::Verdict::Commands:
            lines_.Clear();
            ReleaseCommands();
            break;
    }
}

// The lines held are commands. What is pending of a further one stays.
void SideDecoder::ReleaseCommands() {
    SecretBuffer lines = recovery_.Release();
    SecretBuffer pending(lines_.Pending());
    lines_.Clear();
    message_.GiveUp();
    Enter(Mode::Lines);
    Decode(lines.View());
    lines_.Append(pending.View());
}

// The pending line's rest won't come.
void SideDecoder::CutLine() {
    SecretBuffer text(lines_.PendingLine().text);
    Line line{.text = text.View(), .end = text.View(), .cut = lines_.PendingLine().cut};
    lines_.Clear();
    if ( ! text.Empty() )
        mode_ == Mode::Opening ? OpeningLine(line) : ProtocolLine(line);
}

void SideDecoder::Handle(const Line& line) {
    Next next;
    With(protocol_,
         [&](auto& parser) -> decltype(void(parser.Read(line, facts_))) { next = parser.Read(line, facts_); });
    Follow(next, line);
}

void SideDecoder::Follow(const Next& next, const Line& line) {
    if ( next.new_transaction )
        message_.EndOfInput(facts_);
    switch ( next.kind ) {
        case Next::Line: break;
        case Next::Message:
            uncertain_ = false;
            Enter(Mode::Message);
            message_.Begin(bare_lf_);
            if ( ! next.replay )
                break;
            if ( line.text == "." )
                EndMessage();
            else if ( ! line.cut )
                message_.TextLine(line, facts_);
            break;
        case Next::Chunk:
            message_.BeginCounted(next.part_of_header);
            last_chunk_ = next.last;
            remaining_ = next.length;
            Enter(Mode::Chunk);
            if ( remaining_ == 0 )
                EndCounted();
            break;
        case Next::Capture:
            capture_cut_ = false;
            remaining_ = next.length;
            Enter(Mode::Capture);
            if ( remaining_ == 0 )
                EndCounted();
            break;
        case Next::Skip:
            remaining_ = next.length;
            if ( remaining_ > 0 )
                Enter(next.certain || facts_.reading.role == Role::Server || mode_ == Mode::Http ? Mode::Skip :
                                                                                                   Mode::Literal);
            else if ( mode_ == Mode::Http )
                Enter(Mode::Opening);
            break;
        case Next::Compress: Enter(Mode::DeflateProbe); break;
        case Next::Inner:
            inner_ = true;
            searched_ = 0;
            Enter(Mode::Opening);
            break;
        case Next::Opaque:
        case Next::Other: Enter(Mode::Opaque); break;
    }
}

void SideDecoder::Recover(bool in_message) {
    recovery_.Begin(in_message);
    Enter(Mode::Recovery);
}

void SideDecoder::Gap(uint64_t length) {
    if ( bare_ )
        bare_->Gap(length);
    if ( mode_ == Mode::Opaque )
        return;
    facts_.lost = true;
    if ( inflater_ || mode_ == Mode::DeflateProbe ) { // the rest can't be inflated
        Enter(Mode::Opaque);
        return;
    }
    switch ( mode_ ) {
        case Mode::Recovery:
            if ( ! recovery_.TakesCut(lines_.PendingLine().text) )
                break;
            ReleaseCommands();
            [[fallthrough]];
        case Mode::Opening:
        case Mode::Lines: CutLine(); break;
        case Mode::TlsProbe: Enter(after_probe_); break;
        case Mode::Socks:
        case Mode::Http: Enter(Mode::Opaque); break;
        case Mode::Literal:
            remaining_ -= std::min<uint64_t>(remaining_, held_.Size());
            held_.Clear();
            break;
        default: break;
    }
    // The pending line may have begun a message or a literal.
    bool counted = mode_ == Mode::Chunk || mode_ == Mode::Skip || mode_ == Mode::Capture || mode_ == Mode::Literal;
    if ( mode_ == Mode::Message || mode_ == Mode::Chunk )
        message_.Interrupt(facts_);
    if ( mode_ == Mode::Capture ) {
        capture_cut_ = true;
        held_.Clear();
    }
    if ( counted && length > 0 && length <= remaining_ ) {
        remaining_ -= length;
        if ( remaining_ == 0 )
            EndCounted();
        return;
    }

    With(protocol_, [](auto& parser) -> decltype(void(parser.Interrupted())) { parser.Interrupted(); });
    lines_.Clear();
    if ( mode_ == Mode::Message && ! IsSmtpClient() )
        uncertain_ = true;
    else if ( IsSmtpClient() )
        Recover(mode_ == Mode::Message);
    else if ( counted ) {
        message_.GiveUp();
        Enter(Mode::Lines);
    }
    seeking_ = mode_ == Mode::Lines;
}

// Whether a message's line is no longer the message's: its beginning was refused, or its end is missing.
bool SideDecoder::LeavesMessage(const Line& line, bool first) const {
    if ( facts_.reading.role == Role::Client )
        return first && smtp::IsCommandAfterData(line.text);
    return uncertain_ && pop3::IsReply(line.text);
}

void SideDecoder::Message(std::string_view& bytes) {
    auto leaves = [this](const Line& line, bool first) { return LeavesMessage(line, first); };
    switch ( message_.Lines(bytes, facts_, leaves) ) {
        case MessageReader::Progress::More: break;
        case MessageReader::Progress::End:
            bare_lf_ = message_.Line().bare_lf;
            EndMessage();
            break;
        case MessageReader::Progress::BareEnd: ReadBareEnd(bytes); break;
        case MessageReader::Progress::Left: {
            SecretBuffer text(message_.Line().text);
            bare_lf_ = message_.Line().bare_lf;
            message_.GiveUp();
            Enter(Mode::Lines);
            ProtocolLine({.text = text.View(), .end = text.View(), .bare_lf = bare_lf_});
            break;
        }
    }
}

// A dot ends the message for some servers and not for others: SMTP smuggling lives from that. This decoder goes on as
// the standard asks. A second one reads commands behind the dot, and the server's replies decide which of them is
// right.
void SideDecoder::ReadBareEnd(std::string_view rest) {
    if ( take_bare_lf_ ) {
        message_.End(facts_);
        EndMessage();
        return;
    }
    if ( IsSmtpClient() && ! bare_ ) {
        SideDecoder& other = bare_.Make(*this);
        other.take_bare_lf_ = other.unproven_ = true;
        other.message_.End(other.facts_);
        other.EndMessage();
        other.Decode(rest);
        if ( other.unproven_ && other.Done() )
            bare_.Drop();
    }
    message_.TextLine(message_.Line(), facts_);
}

void SideDecoder::EndMessage() {
    ++facts_.messages;
    facts_.Reach(facts_.reading.role == Role::Client ? Stage::Delivered : Stage::Retrieved);
    message_.GiveUp();
    if ( auto* client = std::get_if<smtp::Client>(&protocol_) )
        client->MessageEnded(facts_);
    Enter(Mode::Lines);
}

void SideDecoder::Counted(std::string_view& bytes) {
    std::string_view part = bytes.substr(0, std::min<uint64_t>(remaining_, bytes.size()));
    bytes.remove_prefix(part.size());
    remaining_ -= part.size();

    if ( mode_ == Mode::Capture && ! capture_cut_ )
        held_.Append(part);
    else if ( mode_ == Mode::Chunk )
        message_.Counted(part, facts_);
    if ( remaining_ == 0 )
        EndCounted();
}

void SideDecoder::EndCounted() {
    switch ( mode_ ) {
        case Mode::Capture: {
            SecretBuffer captured = std::exchange(held_, SecretBuffer());
            With(protocol_, [&](auto& parser) -> decltype(void(parser.Captured(captured.View(), capture_cut_))) {
                parser.Captured(captured.View(), capture_cut_);
            });
            Enter(Mode::Lines);
            break;
        }
        case Mode::Chunk:
            if ( ! last_chunk_ ) {
                Enter(Mode::Lines);
                break;
            }
            message_.End(facts_);
            ++facts_.messages;
            facts_.Reach(facts_.reading.role == Role::Client ? Stage::Delivered : Stage::Retrieved);
            Enter(Mode::Lines);
            break;
        default: Enter(facts_.http && facts_.reading.service == Service::None ? Mode::Opening : Mode::Lines); break;
    }
}

// The literal may have been refused, and a command stand in its place (RFC 9051 4.3).
void SideDecoder::Literal(std::string_view& bytes) {
    std::size_t end = bytes.find('\n');
    std::size_t take =
        std::min(end == std::string_view::npos ? bytes.size() : end + 1, kMaxLiteralProbe - held_.Size());
    held_.Append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    bool line = held_.View().ends_with('\n');
    if ( ! line && held_.Size() < kMaxLiteralProbe )
        return;

    SecretBuffer first = std::exchange(held_, SecretBuffer());
    auto* client = std::get_if<imap::Client>(&protocol_);
    std::string_view text = first.View();
    if ( line ) {
        text.remove_suffix(1);
        if ( text.ends_with('\r') )
            text.remove_suffix(1);
    }
    bool refused = line && client && client->RefusesLiteral(text);
    Enter(refused ? Mode::Lines : Mode::Skip);
    Decode(first.View());
}

// Behind COMPRESS, or its reply, deflated bytes follow unless the server refused. Then text goes on.
void SideDecoder::DeflateProbe(std::string_view& bytes) {
    std::size_t end = bytes.find('\n');
    std::size_t take =
        std::min(end == std::string_view::npos ? bytes.size() : end + 1, kMaxLiteralProbe - held_.Size());
    held_.Append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    std::string_view text = held_.View();
    bool line = text.ends_with('\n');
    if ( line )
        text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    if ( IsText(text.ends_with('\r') ? text.substr(0, text.size() - 1) : text) && ! line &&
         held_.Size() < kMaxLiteralProbe )
        return;

    bool plain = line && WeightOf(facts_.reading.service, facts_.reading.role, text) != kNone;
    SecretBuffer first = std::exchange(held_, SecretBuffer());
    Enter(Mode::Lines);
    if ( plain ) {
        Decode(first.View());
        return;
    }
    inflater_.Make();
    Inflate(first.View());
    if ( inflater_ )
        Inflate(std::exchange(bytes, {}));
    else
        bytes = {};
}

bool SideDecoder::HasUnfinished() const {
    bool line = (mode_ == Mode::Opening || mode_ == Mode::Lines) && ! lines_.Pending().empty();
    return line || held_capabilities_ > 0 || (mode_ == Mode::Recovery && ! recovery_.Empty()) ||
           message_.HasUnfinishedField();
}

void SideDecoder::End() {
    if ( mode_ == Mode::Recovery ) {
        if ( ! smtp::IsWholeCommand(lines_.PendingLine().text) )
            lines_.Clear();
        ReleaseCommands();
    }
    if ( mode_ == Mode::Opening && held_capabilities_ > 0 )
        ReleaseCapabilities({.service = Service::Pop3,
                             .role = presumption_.role == Role::Server ? Role::Server : Role::Client,
                             .weight = kStrong});
    if ( mode_ == Mode::Opening || mode_ == Mode::Lines )
        CutLine();
    message_.EndOfInput(facts_);
}

std::size_t SideDecoder::Memory() const {
    auto heap = [](const std::string& text) { return text.capacity() > 15 ? text.capacity() + 1 : 0; };
    auto set = [&heap](const std::vector<std::string>& texts) {
        std::size_t bytes = texts.capacity() * sizeof(std::string);
        for ( const auto& text : texts )
            bytes += heap(text);
        return bytes;
    };
    std::size_t parser = 0;
    With(protocol_, [&parser](const auto& held) -> decltype(void(held.Memory())) { parser = held.Memory(); });
    const SideFacts& f = facts_;
    return sizeof(*this) + lines_.Memory() + held_.Memory() + message_.Memory() + recovery_.Memory() + parser +
           set(f.from) + set(f.to) + set(f.mailfrom) + set(f.rcptto) + heap(f.subject) + heap(f.msg_id) +
           heap(f.user_agent) + heap(f.tunnel_user_agent) + heap(f.helo) + heap(f.auth) + heap(f.user) +
           heap(f.last_command) + heap(f.last_reply) + heap(f.last_reply_tag) + heap(f.banner) +
           f.reply_log.capacity() * sizeof(Reply) + f.command_log.capacity() * sizeof(CommandKind) +
           f.recent_tags.capacity() * sizeof(uint32_t) + (inflater_ ? sizeof(Inflater) + Inflater::kMemory : 0) +
           (bare_ ? bare_->Memory() : 0);
}

} // namespace mailtap::decoder
