// TLS records as they look from outside (RFC 8446 5.1).

#pragma once

#include <cstdint>
#include <string_view>

namespace mailtap::decoder {

constexpr std::size_t kTlsProbe = 6; // a record's header and the first byte of its content

inline bool MayBeTls(char first) { return first >= 0x14 && first <= 0x17; }

// `probe` holds kTlsProbe bytes.
inline bool IsTlsRecord(std::string_view probe) {
    auto byte = [probe](std::size_t at) { return static_cast<uint8_t>(probe[at]); };
    unsigned length = static_cast<unsigned>(byte(3)) << 8 | byte(4);
    return MayBeTls(probe[0]) && byte(1) == 3 && byte(2) <= 4 && length > 0 && length <= (1u << 14) + 2048;
}

// The first bytes of a hello, up to the version within it.
constexpr std::size_t kTlsHelloProbe = 11;

// `probe` holds kTlsHelloProbe bytes, or less: then it is none. Strict enough for bytes amid others.
inline bool IsWholeTlsHello(std::string_view probe) {
    return probe.size() == kTlsHelloProbe && IsTlsRecord(probe) && probe[0] == 0x16 &&
           (probe[5] == 1 || probe[5] == 2) && probe[6] == 0 && probe[9] == 3 && probe[10] >= 0 && probe[10] <= 4;
}

// A handshake's ClientHello or ServerHello.
inline bool IsTlsHello(std::string_view probe) {
    return IsTlsRecord(probe) && probe[0] == 0x16 && (probe[5] == 1 || probe[5] == 2);
}

// A server's alert about the ClientHello, in the clear. A warning, such as that it doesn't know the name asked for
// (RFC 6066 3), comes before its own hello.
inline bool IsTlsAlert(std::string_view probe) {
    return IsTlsRecord(probe) && probe[0] == 0x15 && probe[3] == 0 && probe[4] == 2 && (probe[5] == 1 || probe[5] == 2);
}

} // namespace mailtap::decoder
