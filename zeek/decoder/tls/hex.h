// Bytes as hexadecimal digits.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mailtap::decoder::tls {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kUpperHexDigits = "0123456789ABCDEF";

inline void AppendHex(std::string& text, uint8_t byte, std::string_view digits = kHexDigits) {
    text += digits[byte >> 4];
    text += digits[byte & 0xf];
}

} // namespace mailtap::decoder::tls
