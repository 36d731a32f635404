// Numbers in network byte order, and vectors that their length precedes (RFC 8446 3).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mailtap::decoder::tls {

// The number that all of `bytes`, at most four, make.
constexpr uint32_t Number(std::string_view bytes) {
    uint32_t number = 0;
    for ( const char c : bytes )
        number = number << 8 | static_cast<uint8_t>(c);
    return number;
}

// The number of `width` bytes at `at`, which must be there.
constexpr uint32_t Number(std::string_view bytes, std::size_t at, std::size_t width) {
    return Number(bytes.substr(at, width));
}

// Cuts a vector with a length of `width` bytes off the front of `bytes`. False when it isn't whole.
constexpr bool TakeVector(std::string_view& bytes, std::size_t width, std::string_view& vector) {
    if ( bytes.size() < width )
        return false;
    const std::size_t length = Number(bytes, 0, width);
    if ( bytes.size() - width < length )
        return false;
    vector = bytes.substr(width, length);
    bytes.remove_prefix(width + length);
    return true;
}

// Values that are reserved so that peers learn to ignore what they don't know (RFC 8701).
constexpr bool IsGrease(uint16_t value) { return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff); }

// Printable ASCII without blanks: what host names and the names of application protocols are made of.
constexpr bool IsHostText(std::string_view text) {
    for ( const char c : text )
        if ( c <= ' ' || c > '~' )
            return false;
    return true;
}

} // namespace mailtap::decoder::tls
