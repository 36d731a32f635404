// One side of a session: finds out what it speaks, and follows it.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "header.h"
#include "imap.h"
#include "line_buffer.h"
#include "pop3.h"
#include "recognition.h"
#include "side_facts.h"
#include "smtp.h"
#include "tunnel.h"

namespace mailtap::decoder {

class SideDecoder {
public:
    explicit SideDecoder(const Presumption& presumption);

    void Data(std::string_view bytes);
    void Gap(uint64_t length);

    // No more will come: an unfinished line is decoded as it stands.
    void End();
    bool HasUnfinishedLine() const {
        return (mode_ == Mode::Opening || mode_ == Mode::Lines) && ! lines_.Pending().empty();
    }

    // Nothing more can be learnt from this side.
    bool Done() const { return mode_ == Mode::Opaque; }

    const SideFacts& Facts() const { return facts_; }

    // Whether the lines seen are enough to name the protocol, given the service of the server's port.
    bool Recognised(Service port_service) const {
        return decoder::Recognised(facts_, presumption_.midstream, port_service);
    }

    std::size_t Memory() const;

private:
    enum class Mode : uint8_t {
        Opening, // no line recognised yet
        Socks,   // a SOCKS opening
        Http,    // an HTTP opening's header
        Probe,   // may be a TLS record
        Lines,   // the protocol's lines
        Header,  // of a dot-terminated message
        Body,    // of a dot-terminated message, or a list
        Chunk,   // a message of known length
        Literal, // the first bytes of an IMAP literal to skip
        Skip,
        Capture,
        Opaque, // nothing more can be learnt
    };

    void Lines(std::string_view& bytes);
    void Probe(std::string_view& bytes);
    void Socks(std::string_view& bytes);
    void Body(std::string_view& bytes);
    void Chunk(std::string_view& bytes);
    void Literal(std::string_view& bytes);

    void OpeningLine(std::string_view line);
    void ProtocolLine(std::string_view line);
    void HeaderLine(std::string_view line);
    void BodyLine(std::string_view line);
    bool Weigh(std::string_view line);
    void Adopt(const Reading& reading);
    void Handle(std::string_view line);
    void Follow(const Next& next, std::string_view line);
    void EndChunk();
    void EndMessage();
    bool EndsMessageEarly(std::string_view line) const;
    void Enter(Mode mode);

    Presumption presumption_;
    SideFacts facts_;
    Mode mode_ = Mode::Opening;
    Mode after_probe_ = Mode::Opening;
    bool inner_ = false;        // within a tunnel
    bool seeking_ = false;      // bytes are missing: the next line counts only if it can be nothing but protocol
    bool uncertain_ = false;    // likewise, within a message
    bool first_line_ = false;   // of a message
    bool list_ = false;         // Body is a list's
    bool message_open_ = false; // between the chunks of a message
    bool header_open_ = false;  // the message's header goes on
    bool last_chunk_ = false;
    uint8_t strange_lines_ = 0; // before anything was recognised
    uint64_t remaining_ = 0;    // of Chunk, Literal, Skip, Capture
    uint64_t searched_ = 0;     // bytes without footing
    LineBuffer lines_;
    LineBuffer header_lines_; // a header's line may be cut by a chunk's end
    HeaderParser header_;
    HttpOpening http_;
    std::variant<std::monostate, smtp::Client, smtp::Server, pop3::Client, pop3::Server, imap::Client, imap::Server>
        protocol_;
};

} // namespace mailtap::decoder
