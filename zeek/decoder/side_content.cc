// SideDecoder's part for what isn't lines: messages, their chunks, literals.

#include <algorithm>

#include "side.h"
#include "text.h"

namespace mailtap::decoder {

namespace {

constexpr std::size_t kLiteralProbe = 64; // enough for any command that could stand for a refused literal

} // namespace

// Whether a message's line is the client's next command: the server refused the message, or its end is missing.
bool SideDecoder::EndsMessageEarly(std::string_view line) const {
    if ( ! (first_line_ || uncertain_ || list_) )
        return false;
    if ( facts_.reading.role == Role::Client )
        return smtp::EndsDataPhase(line);
    return (uncertain_ || list_) && facts_.reading.service == Service::Pop3 && pop3::ServerWeight(line) != kNone;
}

void SideDecoder::Body(std::string_view& bytes) {
    std::string_view line;
    if ( ! header_lines_.Take(bytes, line) )
        return;
    if ( mode_ == Mode::Header )
        HeaderLine(line);
    else
        BodyLine(line);
}

void SideDecoder::HeaderLine(std::string_view line) {
    if ( line == "." ) {
        header_.End(true, facts_);
        EndMessage();
        return;
    }
    if ( EndsMessageEarly(line) ) {
        first_line_ = false;
        Enter(Mode::Lines);
        ProtocolLine(std::string(line));
        return;
    }
    first_line_ = false;
    if ( line.starts_with('.') ) // RFC 5321 4.5.2, RFC 1939 3: dot-stuffing
        line.remove_prefix(1);
    if ( ! header_.Line(line, facts_) )
        Enter(Mode::Body);
}

void SideDecoder::BodyLine(std::string_view line) {
    if ( line == "." ) {
        if ( list_ )
            Enter(Mode::Lines);
        else
            EndMessage();
        return;
    }
    if ( EndsMessageEarly(line) ) {
        Enter(Mode::Lines);
        ProtocolLine(std::string(line));
        return;
    }
    if ( list_ )
        if ( auto* server = std::get_if<pop3::Server>(&protocol_) )
            server->ListLine(line, facts_);
}

void SideDecoder::EndMessage() {
    ++facts_.messages;
    facts_.Reach(facts_.reading.role == Role::Client ? Stage::Delivered : Stage::Retrieved);
    message_open_ = header_open_ = false;
    Enter(Mode::Lines);
}

void SideDecoder::Chunk(std::string_view& bytes) {
    std::string_view part = bytes.substr(0, std::min<uint64_t>(remaining_, bytes.size()));
    bytes.remove_prefix(part.size());
    remaining_ -= part.size();

    if ( mode_ == Mode::Capture )
        header_lines_.Append(part);
    while ( mode_ == Mode::Chunk && header_open_ && ! part.empty() ) {
        std::string_view line;
        if ( header_lines_.Take(part, line) )
            header_open_ = header_.Line(line, facts_);
    }
    if ( remaining_ == 0 )
        EndChunk();
}

void SideDecoder::EndChunk() {
    switch ( mode_ ) {
        case Mode::Capture: {
            std::string captured(header_lines_.Pending());
            header_lines_.Clear();
            std::visit(
                [&captured](auto& protocol) {
                    if constexpr ( requires { protocol.Captured(captured); } )
                        protocol.Captured(captured);
                },
                protocol_);
            Wipe(captured);
            Enter(Mode::Lines);
            break;
        }
        case Mode::Chunk:
            if ( ! last_chunk_ ) {
                Enter(Mode::Lines);
                break;
            }
            if ( header_open_ ) {
                if ( ! header_lines_.Pending().empty() )
                    header_.Line(header_lines_.Pending(), facts_);
                header_.End(true, facts_);
            }
            header_lines_.Clear();
            EndMessage();
            break;
        default: Enter(facts_.http && facts_.reading.service == Service::None ? Mode::Opening : Mode::Lines); break;
    }
}

// The literal may have been refused, and a command stand in its place (RFC 9051 4.3).
void SideDecoder::Literal(std::string_view& bytes) {
    std::size_t pending = header_lines_.Pending().size();
    std::size_t end = bytes.find('\n');
    std::size_t take = std::min(end == std::string_view::npos ? bytes.size() : end + 1, kLiteralProbe - pending);
    header_lines_.Append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    std::string_view probed = header_lines_.Pending();
    bool line = probed.ends_with('\n');
    if ( ! line && probed.size() < kLiteralProbe )
        return;

    std::string first(probed);
    header_lines_.Clear();
    std::string_view command = first;
    if ( line ) {
        command.remove_suffix(1);
        if ( command.ends_with('\r') )
            command.remove_suffix(1);
        if ( imap::EndsLiteral(command) ) {
            Enter(Mode::Lines);
            ProtocolLine(command);
            Wipe(first);
            return;
        }
    }
    Enter(Mode::Skip);
    Data(first);
    Wipe(first);
}

} // namespace mailtap::decoder
