#include "der.h"

#include "bytes.h"

namespace mailtap::decoder::tls::der {

bool Take(std::string_view& bytes, Element& element) {
    constexpr uint8_t long_tag = 0x1f;    // all these bits: the tag goes on in the next octet
    constexpr uint8_t long_length = 0x80; // this bit: the others count the length's octets
    constexpr std::size_t max_length_bytes = 4;

    std::size_t header = 2;
    if ( bytes.size() < header || (bytes[0] & long_tag) == long_tag )
        return false;
    std::size_t length = static_cast<uint8_t>(bytes[1]);
    if ( length & long_length ) {
        const std::size_t length_bytes = length & ~std::size_t{long_length};
        if ( length_bytes == 0 || length_bytes > max_length_bytes || bytes.size() < header + length_bytes )
            return false;
        length = Number(bytes, header, length_bytes);
        header += length_bytes;
    }
    if ( bytes.size() - header < length )
        return false;

    element = {static_cast<uint8_t>(bytes[0]), bytes.substr(header, length), bytes.substr(0, header + length)};
    bytes.remove_prefix(header + length);
    return true;
}

bool Take(std::string_view& bytes, uint8_t tag, Element& element) {
    return ! bytes.empty() && static_cast<uint8_t>(bytes[0]) == tag && Take(bytes, element);
}

} // namespace mailtap::decoder::tls::der
