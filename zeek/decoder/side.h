// One side of a session: finds out what it speaks, and follows it.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "awaited_tls.h"
#include "detached.h"
#include "imap.h"
#include "inflate.h"
#include "line_buffer.h"
#include "message_reader.h"
#include "pop3.h"
#include "recognition.h"
#include "secret_buffer.h"
#include "side_facts.h"
#include "smtp.h"
#include "smtp_recovery.h"
#include "tls/reader.h"
#include "tls_listener.h"
#include "tunnel.h"

namespace mailtap::decoder {

class SideDecoder {
public:
    // `listener`, if any, is told of this side's TLS as that of `side`.
    explicit SideDecoder(const Presumption& presumption, TlsListener* listener = nullptr, Side side = Side::Orig);

    void Data(std::string_view bytes);
    void Gap(uint64_t length);

    // No more will come: what is unfinished is decoded as far as it stands.
    void End();

    // Whether End() would change the facts.
    bool HasUnfinished() const;

    // Nothing more can be learnt from this side.
    bool Done() const { return mode_ == Mode::Opaque; }

    const SideFacts& Facts() const { return facts_; }

    // The side as a server reads it that takes LF alone for a line's end, where that differs: a dot that ends no
    // message by the standard, with commands behind it. Null when it doesn't differ.
    const SideDecoder* ReadWithBareLineEnds() const { return bare_.Get(); }

    // Where a client requested TLS several times before its hello: the facts up to each request but the last, which are
    // right if that one was accepted. Facts() takes the last for it.
    std::span<const SideFactsMark> EarlierRequests() const { return earlier_requests_; }

    // What the side's TLS shows. Null where none came, and on other ports than mail's where TLS came before any mail.
    const tls::Facts* Tls() const { return tls_ ? &tls_->Result() : nullptr; }

    std::size_t Memory() const;

private:
    enum class Mode : uint8_t {
        Opening,  // no line recognised yet
        Socks,    // a SOCKS opening
        Http,     // an HTTP opening's header
        TlsProbe, // may be a TLS record
        Lines,    // the protocol's lines
        Recovery, // an SMTP client's lines after missing bytes
        Message,  // a dot-terminated message
        Chunk,    // a message of known length
        Literal,  // the first bytes of an IMAP client's literal, which the server may have refused
        Skip,
        Capture,
        Tls,          // TLS, of which the hello and what else is in the clear are read
        DeflateProbe, // COMPRESS was asked for: may be deflated
        Opaque,       // nothing more can be learnt
    };

    void Decode(std::string_view bytes);
    void Inflate(std::string_view bytes);

    void Lines(std::string_view& bytes);
    void TlsProbe(std::string_view& bytes);
    void AwaitTls();
    void BeginTls(std::string_view first);
    bool FoundAwaitedTls(std::string_view bytes);
    bool AsksAnewBefore(std::string_view text);
    void TakeBackInjected();
    void Tls(std::string_view bytes);
    bool Heard(std::string_view bytes);
    void Socks(std::string_view& bytes);
    void Message(std::string_view& bytes);
    void Counted(std::string_view& bytes);
    void Literal(std::string_view& bytes);
    void DeflateProbe(std::string_view& bytes);

    void OpeningLine(const Line& line);
    bool MayBeLong(std::string_view line) const;
    bool MayBeCapability(std::string_view line) const;
    void HoldCapability(const Line& line);
    void ReleaseCapabilities(const Reading& reading);
    void StrangeLine(std::string_view line);
    void ProtocolLine(const Line& line);
    void RecoveryLine(const Line& line);
    void ReleaseCommands();
    void CutLine();
    void CutCommand(bool literal_sent);
    bool Weigh(std::string_view line);
    void Adopt(const Reading& reading);
    void Handle(const Line& line);
    void Follow(const Next& next, const Line& line);
    bool LeavesMessage(const Line& line, bool first) const;
    void LookForSmuggling(std::string_view line);
    void ReadBareEnd(std::string_view rest);
    void ExpectCounted(Mode mode, bool certain);
    void Recover(bool in_message, bool crlf_seen);
    void EndCounted();
    void EndMessage();
    void Enter(Mode mode);
    bool OnMailPort() const {
        return presumption_.as_client != Service::None || presumption_.as_server != Service::None;
    }
    bool IsSmtpClient() const { return std::holds_alternative<smtp::Client>(protocol_); }

    Presumption presumption_;
    TlsListener* listener_; // null once it has heard enough
    Side side_;
    SideFacts facts_;
    Mode mode_ = Mode::Opening;
    Mode after_probe_ = Mode::Opening;
    Mode after_literal_ = Mode::Skip; // the mode after Literal: Skip or Capture
    bool inner_ = false;              // within a tunnel
    bool seeking_ = false;            // bytes are missing: the next line counts only if it can be nothing but protocol
    bool uncertain_ = false;          // the same, within a message
    bool bare_lf_ = false;            // the last line ended in LF alone
    bool take_bare_lf_ = false;       // LF alone ends a line: this is what ReadWithBareLineEnds() gives
    bool odd_dot_ = false;    // the message has a dot that ends it for servers which take LF alone for a line's end
    bool upgrade_ = false;    // awaited_ has seen nothing yet
    bool asked_anew_ = false; // awaited_ was made since this was last cleared
    bool unproven_ = false;   // of odd_dot_: no command came behind the dot yet
    bool last_chunk_ = false;
    bool capture_cut_ = false;      // bytes of the string to capture are missing
    uint8_t strange_lines_ = 0;     // lines of no known protocol, before one was recognised
    uint8_t held_capabilities_ = 0; // lines in held_
    uint64_t remaining_ = 0;        // bytes to come of Chunk, Literal, Skip or Capture
    std::size_t heard_ = 0;         // bytes of TLS given out after tls_ was done
    uint64_t searched_ = 0;         // bytes searched for a line of a mail protocol, after missing bytes
    LineBuffer lines_;
    SecretBuffer held_; // the first bytes of a literal, a string to capture, or lines of Opening that are ambiguous
    MessageReader message_;
    HttpOpening http_;
    smtp::Recovery recovery_;
    std::variant<std::monostate, smtp::Client, smtp::Server, pop3::Client, pop3::Server, imap::Client, imap::Server>
        protocol_;
    Detached<Inflater> inflater_;
    Detached<tls::Reader> tls_;
    Detached<AwaitedTls> awaited_; // since the last line that TLS follows
    std::vector<SideFactsMark> earlier_requests_;
    Detached<SideDecoder> bare_;
};

} // namespace mailtap::decoder
