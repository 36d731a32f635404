// Every bound of the TLS reader, so that a side's memory can be summed up in one place.

#pragma once

#include <cstddef>

namespace mailtap::decoder::tls {

constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kHandshakeHeader = 4;

// RFC 5246 6.2.3: a record's content is at most 2^14 octets and what encryption adds. What claims more is no TLS.
constexpr std::size_t kMaxRecord = (1 << 14) + 2048;

// A hello that claims to be longer isn't read. Usual ones have 200 to 1,800 octets.
constexpr std::size_t kMaxHello = 64 * 1024;

// Cipher suites, extensions and signature algorithms kept of a ClientHello until its JA4 is made. About 350 suites
// are registered, so clients that offer more of anything have no JA4.
constexpr std::size_t kMaxListed = 1024;

// What is kept of a list, or of an extension, until it is complete: a length and kMaxListed numbers.
constexpr std::size_t kMaxListBytes = 2 + 2 * kMaxListed;

// Application protocols kept of a ClientHello.
constexpr std::size_t kMaxProtocols = 8;

// The leaf certificate, kept until it is complete. Usual ones have 1 to 3 KiB; a longer one isn't read.
constexpr std::size_t kMaxCertificate = 16 * 1024;

// A host name has at most 255 octets (RFC 1035 2.3.4), as has an application protocol's name (RFC 7301 3.1).
constexpr std::size_t kMaxHostName = 255;

// Parts read of a distinguished name (country, organisation, ...), and the text made of them.
constexpr std::size_t kMaxNameParts = 32;
constexpr std::size_t kMaxNameText = 512;

// What a reader holds at most, whatever the input: itself, a hello's facts, and a hello's lists, or the octets of a
// certificate, or its facts. reader.cc adds it up.
constexpr std::size_t kMaxReaderBytes = 24 * 1024;

} // namespace mailtap::decoder::tls
