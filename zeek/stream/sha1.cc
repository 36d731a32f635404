#include "sha1.h"

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

    auto [a, b, c, d, e] = hash;
    for ( std::size_t i = 0; i < 80; ++i ) {
        uint32_t mix = 0;
        uint32_t constant = 0;
        if ( i < 20 ) {
            mix = (b & c) | (~b & d);
            constant = 0x5a827999;
        }
        else if ( i < 40 ) {
            mix = b ^ c ^ d;
            constant = 0x6ed9eba1;
        }
        else if ( i < 60 ) {
            mix = (b & c) | (b & d) | (c & d);
            constant = 0x8f1bbcdc;
        }
        else {
            mix = b ^ c ^ d;
            constant = 0xca62c1d6;
        }
        const uint32_t next = std::rotl(a, 5) + mix + e + constant + schedule[i];
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    hash = {hash[0] + a, hash[1] + b, hash[2] + c, hash[3] + d, hash[4] + e};
}

} // namespace

std::array<uint8_t, 20> Sha1(std::span<const uint8_t> message) {
    std::vector<uint8_t> padded(message.begin(), message.end());
    padded.push_back(0x80);
    while ( padded.size() % kBlock != kBlock - 8 )
        padded.push_back(0);
    const uint64_t bits = message.size() * uint64_t{8};
    for ( int shift = 56; shift >= 0; shift -= 8 )
        padded.push_back(static_cast<uint8_t>(bits >> shift));

    Words hash = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for ( std::size_t at = 0; at < padded.size(); at += kBlock )
        HashBlock(hash, std::span(padded).subspan(at).first<kBlock>());

    std::array<uint8_t, 20> digest;
    for ( std::size_t i = 0; i < digest.size(); ++i )
        digest[i] = static_cast<uint8_t>(hash[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

} // namespace mailtap::stream
