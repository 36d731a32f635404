// SHA-256 (FIPS 180-4), for JA4, which is defined by it.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mailtap::decoder::tls {

std::array<uint8_t, 32> Sha256(std::string_view message);

} // namespace mailtap::decoder::tls
