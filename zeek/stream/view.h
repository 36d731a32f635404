// The bytes of a packet that a header layer looks at, as captured, and how many there were on the wire.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mailtap::stream {

// Reads past the captured bytes give 0, so that a layer checks once, with Has(), what it needs.
struct View {
    std::span<const uint8_t> bytes;
    std::size_t wire = 0; // never less than bytes.size()

    bool Has(std::size_t length) const { return bytes.size() >= length; }

    uint8_t U8(std::size_t at) const { return at < bytes.size() ? bytes[at] : 0; }
    uint16_t U16(std::size_t at) const { return static_cast<uint16_t>(U8(at) << 8 | U8(at + 1)); }
    uint32_t U32(std::size_t at) const { return static_cast<uint32_t>(U16(at)) << 16 | U16(at + 2); }

    View Skip(std::size_t length) const {
        return {bytes.subspan(std::min(length, bytes.size())), wire - std::min(length, wire)};
    }

    // The first `length` bytes on the wire; what lies behind is padding.
    View First(std::size_t length) const { return {bytes.first(std::min(length, bytes.size())), length}; }
};

} // namespace mailtap::stream
