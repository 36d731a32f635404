// IP addresses and TCP endpoints.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>

namespace mailtap::engine {

struct Address {
    std::array<uint8_t, 16> bytes{}; // network order; an IPv4 address takes the first four
    bool v6 = false;

    std::span<const uint8_t> Octets() const { return std::span(bytes).first(v6 ? 16 : 4); }
    std::string Text() const;

    auto operator<=>(const Address&) const = default;
};

struct Endpoint {
    Address address;
    uint16_t port = 0;

    auto operator<=>(const Endpoint&) const = default;
};

} // namespace mailtap::engine
