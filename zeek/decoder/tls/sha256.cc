#include "sha256.h"

#include <bit>

namespace mailtap::decoder::tls {

namespace {

using Words = std::array<uint32_t, 8>;

constexpr std::size_t kBlock = 64;
constexpr std::size_t kLengthBytes = 8;

constexpr std::array<uint32_t, 64> kRoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t BigEndian(const char* bytes) {
    auto byte = [bytes](int at) { return uint32_t{static_cast<uint8_t>(bytes[at])}; };
    return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

// `bytes` points to a block.
void HashBlock(Words& hash, const char* bytes) {
    std::array<uint32_t, 64> schedule;
    for ( std::size_t i = 0; i < 16; ++i )
        schedule[i] = BigEndian(bytes + 4 * i);
    for ( std::size_t i = 16; i < 64; ++i ) {
        const uint32_t x = schedule[i - 15];
        const uint32_t y = schedule[i - 2];
        schedule[i] = schedule[i - 16] + schedule[i - 7] + (std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3) +
                      (std::rotr(y, 17) ^ std::rotr(y, 19) ^ y >> 10);
    }

    // The eight words change places in each round; here the rounds do, so that nothing is moved.
    auto round = [&schedule](uint32_t a, uint32_t b, uint32_t c, uint32_t& d, uint32_t e, uint32_t f, uint32_t g,
                             uint32_t& h, std::size_t i) {
        h += (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + (g ^ (e & (f ^ g))) + kRoundConstants[i] +
             schedule[i];
        d += h;
        h += (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) | (c & (a | b)));
    };
    auto [a, b, c, d, e, f, g, h] = hash;
    for ( std::size_t i = 0; i < 64; i += 8 ) {
        round(a, b, c, d, e, f, g, h, i);
        round(h, a, b, c, d, e, f, g, i + 1);
        round(g, h, a, b, c, d, e, f, i + 2);
        round(f, g, h, a, b, c, d, e, i + 3);
        round(e, f, g, h, a, b, c, d, i + 4);
        round(d, e, f, g, h, a, b, c, i + 5);
        round(c, d, e, f, g, h, a, b, i + 6);
        round(b, c, d, e, f, g, h, a, i + 7);
    }
    hash = {hash[0] + a, hash[1] + b, hash[2] + c, hash[3] + d, hash[4] + e, hash[5] + f, hash[6] + g, hash[7] + h};
}

} // namespace

std::array<uint8_t, 32> Sha256(std::string_view message) {
    Words hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const uint64_t bits = message.size() * uint64_t{8};
    for ( ; message.size() >= kBlock; message.remove_prefix(kBlock) )
        HashBlock(hash, message.data());

    // The rest, a one bit, zeros, and the length in bits: one block or two.
    std::array<char, 2 * kBlock> padded{};
    message.copy(padded.data(), message.size());
    padded[message.size()] = '\x80';
    const std::size_t end = message.size() + 1 + kLengthBytes > kBlock ? 2 * kBlock : kBlock;
    for ( std::size_t i = 0; i < kLengthBytes; ++i )
        padded[end - 1 - i] = static_cast<char>(bits >> 8 * i);
    for ( std::size_t at = 0; at < end; at += kBlock )
        HashBlock(hash, padded.data() + at);

    std::array<uint8_t, 32> digest;
    for ( std::size_t i = 0; i < digest.size(); ++i )
        digest[i] = static_cast<uint8_t>(hash[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

} // namespace mailtap::decoder::tls
