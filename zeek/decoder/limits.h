// Every bound of the decoder, so that a session's memory can be summed up in one place.

#pragma once

#include <cstddef>
#include <cstdint>

namespace mailtap::decoder {

// A line longer than this is decoded from its beginning; the rest is skipped. RFC 5321 4.5.3.1 asks for 512
// octets (1,000 for text), RFC 9051 for 8,192; an ENVELOPE is the longest line whose content is of use.
constexpr std::size_t kMaxLine = 4096;

// Of such a line its last bytes are kept, too: a literal's length stands there, and what the literal is.
constexpr std::size_t kMaxLineEnd = 256;

// The opening bytes of a side that show no line end by then are no mail protocol's, unless they begin like one.
constexpr std::size_t kMaxOpeningLine = 1024;

// A header field's value that is kept (From, To, Subject, Message-ID, User-Agent), before decoding.
constexpr std::size_t kMaxHeaderValue = 2048;

// A message's header that goes on longer than this is taken as body.
constexpr std::size_t kMaxHeaderBytes = 256 * 1024;

// RFC 5321 4.5.3.1.3: a path is at most 256 octets. Header items carry a display name too.
constexpr std::size_t kMaxAddress = 320;

// Distinct addresses kept of each kind, and their bytes together.
constexpr std::size_t kMaxAddresses = 64;
constexpr std::size_t kMaxAddressBytes = 8 * 1024;

// Any other string kept of a session (banner, HELO name, subject, user, ...).
constexpr std::size_t kMaxString = 512;

// Commands and replies remembered, to pair them by their order (SMTP, POP3) or by tag (IMAP).
constexpr std::size_t kMaxExchangeLog = 512;
constexpr std::size_t kMaxTaggedReplies = 32;
constexpr std::size_t kMaxRecentTags = 16;

// An HTTP or SOCKS exchange that opens a tunnel, in bytes.
constexpr std::size_t kMaxTunnelPreamble = 8 * 1024;

// Behind STARTTLS, or its acceptance: bytes among which the hello is looked for, behind injected ones too.
constexpr uint64_t kMaxAwaitedTls = 64 * 1024;

// Requests for TLS before the last one, of which it is remembered what the facts were then.
constexpr std::size_t kMaxEarlierRequests = 2;

// The first bytes in place of an IMAP literal, or behind COMPRESS: enough for a command that stands there instead.
constexpr std::size_t kMaxLiteralProbe = 128;

// An SMTP client's commands that are held back after missing bytes, until it is clear that they are commands.
constexpr std::size_t kMaxHeldCommands = 2048;

// IMAP's COMPRESS: text deflates by 3 to 20. A stream that grows by more than this, beyond the first bytes, is an
// attack.
constexpr uint64_t kMaxInflateRatio = 100;
constexpr uint64_t kMaxInflatedFreely = 1024 * 1024;

// What a session may hold, whatever the input. session.cc sums it up.
constexpr std::size_t kMaxSessionBytes = 240 * 1024;

} // namespace mailtap::decoder
