#include "sha1.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace mailtap::stream {

namespace {

using Words = std::array<uint32_t, 5>;

constexpr std::size_t kBlock = 64;

void HashBlock(Words& hash, std::span<const uint8_t, kBlock> block) {
    std::array<uint32_t, 80> schedule;
    for ( std::size_t i = 0; i < 16; ++i )
        schedule[i] = static_cast<uint32_t>(block[4 * i]) << 24 | static_cast<uint32_t>(block[4 * i + 1]) << 16 |
                      static_cast<uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
    for ( std::size_t i = 16; i < 80; ++i )
        schedule[i] = std::rotl(schedule[i - 3] ^ schedule[i - 8] ^ schedule[i - 14] ^ schedule[i - 16], 1);

    Words words = hash;
    // Twenty rounds with one function and constant (RFC 3174 5), each as a loop of its own: without a branch in it.
    const auto rounds = [&](std::size_t first, uint32_t constant, auto mix) {
        auto& [a, b, c, d, e] = words;
        for ( std::size_t i = first; i < first + 20; ++i ) {
            const uint32_t next = std::rotl(a, 5) + mix(b, c, d) + e + constant + schedule[i];
            e = d;
            d = c;
            c = std::rotl(b, 30);
            b = a;
            a = next;
        }
    };
    const auto parity = [](uint32_t b, uint32_t c, uint32_t d) { return b ^ c ^ d; };
    rounds(0, 0x5a827999, [](uint32_t b, uint32_t c, uint32_t d) { return (b & c) | (~b & d); });
    rounds(20, 0x6ed9eba1, parity);
    rounds(40, 0x8f1bbcdc, [](uint32_t b, uint32_t c, uint32_t d) { return (b & c) | (b & d) | (c & d); });
    rounds(60, 0xca62c1d6, parity);
    for ( std::size_t i = 0; i < hash.size(); ++i )
        hash[i] += words[i];
}

} // namespace

std::array<uint8_t, 20> Sha1(std::span<const uint8_t> message) {
    // The message, a one bit, zeros, and the message's length in bits as the last eight octets (RFC 3174 4).
    constexpr std::size_t length_octets = 8;
    std::vector<uint8_t> padded((message.size() + 1 + length_octets + kBlock - 1) / kBlock * kBlock);
    std::ranges::copy(message, padded.begin());
    padded[message.size()] = 0x80;
    const uint64_t bits = message.size() * uint64_t{8};
    for ( std::size_t i = 0; i < length_octets; ++i )
        padded[padded.size() - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));

    Words hash = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for ( std::size_t at = 0; at < padded.size(); at += kBlock )
        HashBlock(hash, std::span(padded).subspan(at).first<kBlock>());

    std::array<uint8_t, 20> digest;
    for ( std::size_t i = 0; i < digest.size(); ++i )
        digest[i] = static_cast<uint8_t>(hash[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

} // namespace mailtap::stream
