// SideDecoder where bytes aren't the protocol's lines: messages, literals, deflated bytes.

#include "side.h"

#include <algorithm>
#include <utility>

#include "text.h"
#include "visit.h"

namespace mailtap::decoder {

void SideDecoder::Inflate(std::string_view bytes) {
    // The inflater must outlive the call, so Enter() doesn't drop it.
    bool whole = inflater_->Data(bytes, [this](std::string_view part) { Decode(part); });
    if ( ! whole )
        Enter(Mode::Opaque);
    if ( mode_ == Mode::Opaque )
        inflater_.Drop();
}

// Whether a message's line is no longer the message's: its beginning was refused, or its end is missing.
bool SideDecoder::LeavesMessage(const Line& line, bool first) const {
    if ( facts_.reading.role == Role::Client )
        return first && smtp::IsCommandAfterData(line.text);
    return uncertain_ && pop3::IsReply(line.text);
}

void SideDecoder::Message(std::string_view& bytes) {
    const bool sent = IsSmtpClient() && ! take_bare_lf_;
    auto leaves = [this, sent](const Line& line, bool first) {
        if ( sent )
            LookForSmuggling(line.text);
        return LeavesMessage(line, first);
    };
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

// SMTP smuggling (CVE-2023-51764 and others): commands in a message, behind a dot whose line ends aren't CR LF, in a
// message whose other lines end so. A line of the message that isn't a dot for LineBuffer comes here.
void SideDecoder::LookForSmuggling(std::string_view line) {
    if ( std::exchange(odd_dot_, false) )
        facts_.smuggled |= smtp::BeginsTransaction(line);
    if ( line.find('\r') == std::string_view::npos || ! message_.RestEndsInCrlf() )
        return;
    // A lone CR before the dot, or behind it.
    while ( true ) {
        const bool dot = line.starts_with(".\r");
        const std::size_t end = dot ? 2 : line.find("\r.\r");
        if ( end == std::string_view::npos )
            break;
        line.remove_prefix(dot ? end : end + 3);
        if ( line.starts_with('\n') )
            line.remove_prefix(1);
        facts_.smuggled |= smtp::BeginsTransaction(line.substr(0, line.find('\r')));
        odd_dot_ = line.empty();
    }
    odd_dot_ |= line.ends_with("\r.");
}

// A dot ends the message for some servers and not for others, which is what SMTP smuggling exploits. This decoder goes
// on as the standard asks. A second one reads commands behind the dot, and the server's replies decide which of them is
// right.
void SideDecoder::ReadBareEnd(std::string_view rest) {
    if ( take_bare_lf_ ) {
        message_.End(facts_);
        EndMessage();
        return;
    }
    odd_dot_ = message_.RestEndsInCrlf();
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
    Enter(refused ? Mode::Lines : after_literal_);
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
    const bool is_text = IsText(! line && text.ends_with('\r') ? text.substr(0, text.size() - 1) : text);
    if ( is_text && ! line && held_.Size() < kMaxLiteralProbe )
        return;

    bool plain = is_text && line && WeightOf(facts_.reading.service, facts_.reading.role, text) != kNone;
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

} // namespace mailtap::decoder
