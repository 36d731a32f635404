// The extensions of a hello that are read (RFC 6066 3, 8446 4.2, 7301).

#pragma once

#include <cstdint>

namespace mailtap::decoder::tls::extension {

constexpr uint16_t kServerName = 0;
constexpr uint16_t kSignatureAlgorithms = 13;
constexpr uint16_t kProtocols = 16;
constexpr uint16_t kSupportedVersions = 43;

} // namespace mailtap::decoder::tls::extension
