#include "address.h"

#include <arpa/inet.h>

#include <charconv>

namespace mailtap::engine {

namespace {

// Every session's line has four addresses: inet_ntop, which formats by printf, would be a tenth of the engine's time.
std::string DottedQuad(std::span<const uint8_t> octets) {
    std::array<char, INET_ADDRSTRLEN> text{};
    char* end = text.data();
    for ( uint8_t octet : octets ) {
        if ( end != text.data() )
            *end++ = '.';
        end = std::to_chars(end, text.data() + text.size(), octet).ptr;
    }
    return {text.data(), end};
}

} // namespace

std::string Address::Text() const {
    if ( ! v6 )
        return DottedQuad(Octets());
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    return text.data();
}

} // namespace mailtap::engine
