// JA4, the fingerprint of a TLS client, after the specification that FoxIO published under the BSD 3-Clause licence
// (https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtap::decoder::tls {

// What the fingerprint is made of. Values of GREASE (RFC 8701) are left out as they are added.
struct ClientHello {
    uint16_t version = 0;             // the highest of supported_versions, else the hello's own
    std::vector<uint16_t> ciphers;    // in the hello's order, as the next two
    std::vector<uint16_t> extensions; // with SNI and ALPN
    std::vector<uint16_t> signature_algorithms;
    std::string protocol;  // the first one of ALPN, any bytes
    bool too_long = false; // a list beyond kMaxListed, which has no fingerprint

    void AddCiphers(std::string_view list);
    void AddExtension(uint16_t type);
    void AddSignatureAlgorithms(std::string_view extension);

    std::size_t Memory() const;
};

// Empty when there is none.
std::string Ja4(ClientHello hello);

} // namespace mailtap::decoder::tls
