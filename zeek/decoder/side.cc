#include "side.h"

#include <algorithm>
#include <utility>

#include "text.h"
#include "tls.h"
#include "visit.h"

namespace mailtap::decoder {

SideDecoder::SideDecoder(const Presumption& presumption, TlsListener* listener, Side side)
    : presumption_(presumption), listener_(listener), side_(side) {
    facts_.lost = seeking_ = presumption.midstream;
}

void SideDecoder::Enter(Mode mode) {
    mode_ = mode;
    if ( mode != Mode::Opaque && mode != Mode::Tls )
        return;
    lines_.Clear();
    held_.Clear();
    message_.GiveUp();
    recovery_.Begin(false, false);
    protocol_.emplace<std::monostate>();
}

void SideDecoder::Data(std::string_view bytes) {
    facts_.spoke = true;
    if ( bare_ ) {
        bare_->Data(bytes);
        if ( bare_->unproven_ && bare_->Done() )
            bare_.Drop();
    }
    upgrade_ = false;
    if ( awaited_ && FoundAwaitedTls(bytes) )
        return;
    if ( inflater_ )
        Inflate(bytes);
    else
        Decode(bytes);
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
            case Mode::Tls: Tls(std::exchange(bytes, {})); break;
            case Mode::Opaque: break;
        }
        // The line was the last thing read: what is left stands behind it. Nothing is left of lines that were held.
        if ( ! bytes.empty() && std::exchange(upgrade_, false) && FoundAwaitedTls(bytes) )
            return;
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
        if ( mode_ == Mode::Opening && lines_.Pending().size() > kMaxOpeningLine && ! MayBeLong(lines_.Pending()) )
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

// Weighs a line as evidence of the side's protocol, or of another one that was mistaken for it. False when the line
// doesn't count.
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
                    (taken.service == Service::Imap && taken.role == Role::Client && imap::HasCommandForm(line)) ||
                    (facts_.lost && IsSmtpClient() && smtp::HasCommandForm(line, true));
    if ( taken.weight < kStrong && weight == kNone && ! line.empty() && (! any_form || facts_.doubtful) ) {
        Reading other = Read(line, presumption_);
        if ( other.weight >= (any_form ? kStrong : kMedium) && other.role == taken.role ) {
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
        if ( line.text.empty() )
            return;
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

// The rest of the pending line will not come.
void SideDecoder::CutLine() {
    SecretBuffer text(lines_.PendingLine().text);
    Line line{.text = text.View(), .end = text.View(), .cut = lines_.PendingLine().cut};
    lines_.Clear();
    const bool may_be_anything = mode_ == Mode::Opening && text.Size() == 1; // IMAP's "+"
    if ( ! text.Empty() && ! may_be_anything )
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
        case Next::Line:
            if ( next.upgrade && ! take_bare_lf_ )
                AwaitTls();
            break;
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
            ExpectCounted(Mode::Capture, next.certain);
            if ( remaining_ == 0 )
                EndCounted();
            break;
        case Next::Skip:
            remaining_ = next.length;
            if ( remaining_ > 0 )
                ExpectCounted(Mode::Skip, next.certain);
            else if ( mode_ == Mode::Http )
                Enter(Mode::Opening);
            break;
        case Next::Compress:
            if ( ! inflater_ ) // RFC 4978 3: compression can't be asked for twice
                Enter(Mode::DeflateProbe);
            break;
        case Next::Inner:
            inner_ = true;
            searched_ = 0;
            Enter(Mode::Opening);
            break;
        case Next::Other: Enter(Mode::Opaque); break;
    }
}

// Bytes of a known number come next. Those of an IMAP client's literal only if the server doesn't refuse it.
void SideDecoder::ExpectCounted(Mode mode, bool certain) {
    after_literal_ = mode;
    const bool doubtful = ! certain && remaining_ > 0 && std::holds_alternative<imap::Client>(protocol_);
    Enter(doubtful ? Mode::Literal : mode);
}

void SideDecoder::Recover(bool in_message, bool crlf_seen) {
    recovery_.Begin(in_message, crlf_seen);
    Enter(Mode::Recovery);
}

void SideDecoder::Gap(uint64_t length) {
    if ( bare_ )
        bare_->Gap(length);
    if ( mode_ == Mode::Opaque )
        return;
    if ( mode_ == Mode::Tls ) {
        listener_ = nullptr;
        tls_->Gap(length);
        if ( tls_->Done() )
            Enter(Mode::Opaque);
        return;
    }
    facts_.lost = facts_.gap = true;
    facts_.replies_at_loss = facts_.replies;
    awaited_.Drop();
    upgrade_ = false;
    if ( inflater_ || mode_ == Mode::DeflateProbe ) { // the rest can't be inflated
        Enter(Mode::Opaque);
        inflater_.Drop();
        return;
    }
    switch ( mode_ ) {
        case Mode::Recovery:
            if ( recovery_.InMessage() )
                break;
            if ( smtp::ClientWeight(lines_.PendingLine().text) != kStrong )
                lines_.Clear();
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
            if ( after_literal_ == Mode::Capture )
                Enter(Mode::Capture);
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

    CutCommand(true);
    With(protocol_, [](auto& parser) -> decltype(void(parser.Interrupted())) { parser.Interrupted(); });
    lines_.Clear();
    if ( mode_ == Mode::Message && ! IsSmtpClient() )
        uncertain_ = true;
    else if ( IsSmtpClient() )
        Recover(mode_ == Mode::Message, ! bare_lf_);
    else if ( counted ) {
        message_.GiveUp();
        Enter(Mode::Lines);
    }
    seeking_ = mode_ == Mode::Lines;
}

void SideDecoder::CutCommand(bool literal_sent) {
    With(protocol_, [this, literal_sent](auto& parser) -> decltype(void(parser.CutCommand(facts_, literal_sent))) {
        parser.CutCommand(facts_, literal_sent);
    });
}

bool SideDecoder::HasUnfinished() const {
    bool line = (mode_ == Mode::Opening || mode_ == Mode::Lines) && ! lines_.Pending().empty();
    const auto* client = std::get_if<imap::Client>(&protocol_);
    return line || (client && client->InExchange()) || held_capabilities_ > 0 ||
           (mode_ == Mode::Recovery && ! recovery_.Empty()) || message_.HasUnfinishedField();
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
    CutCommand(mode_ != Mode::Literal || held_.Size() > 0);
    message_.EndOfInput(facts_);
}

std::size_t SideDecoder::Memory() const {
    std::size_t parser = 0;
    std::size_t requests = 0;
    for ( const SideFactsMark& request : earlier_requests_ )
        requests += sizeof(request) + request.Memory();
    With(protocol_, [&parser](const auto& held) -> decltype(void(held.Memory())) { parser = held.Memory(); });
    return sizeof(*this) + facts_.Memory() + lines_.Memory() + held_.Memory() + message_.Memory() + recovery_.Memory() +
           parser + (inflater_ ? sizeof(Inflater) + Inflater::kMemory : 0) + (tls_ ? tls_->Memory() : 0) + requests +
           (awaited_ ? awaited_->Memory() : 0) + (bare_ ? bare_->Memory() : 0);
}

} // namespace mailtap::decoder
