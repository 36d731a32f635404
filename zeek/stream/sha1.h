// SHA-1 (RFC 3174), for the Community ID, which is defined by it.

#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace mailtap::stream {

std::array<uint8_t, 20> Sha1(std::span<const uint8_t> message);

} // namespace mailtap::stream
