#include "community_id.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "sha1.h"

namespace mailtap::stream {

namespace {

constexpr uint8_t kTcp = 6;

void Append(std::vector<uint8_t>& bytes, uint16_t value) {
    bytes.push_back(static_cast<uint8_t>(value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
}

void Append(std::vector<uint8_t>& bytes, std::span<const uint8_t> octets) {
    bytes.insert(bytes.end(), octets.begin(), octets.end());
}

void AppendBase64(std::string& text, std::span<const uint8_t> bytes) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for ( std::size_t at = 0; at < bytes.size(); at += 3 ) {
        const auto rest = bytes.subspan(at).first(std::min<std::size_t>(3, bytes.size() - at));
        uint32_t group = 0;
        for ( std::size_t i = 0; i < 3; ++i )
            group = group << 8 | (i < rest.size() ? rest[i] : 0);
        for ( std::size_t i = 0; i < 4; ++i )
            text += i <= rest.size() ? kDigits[group >> (18 - 6 * i) & 0x3f] : '=';
    }
}

bool Precedes(const FlowEnd& one, const FlowEnd& other) {
    if ( ! std::ranges::equal(one.address, other.address) )
        return std::ranges::lexicographical_compare(one.address, other.address);
    return one.port < other.port;
}

} // namespace

std::string CommunityId(const FlowEnd& one, const FlowEnd& other, uint16_t seed) {
    const bool ordered = Precedes(one, other);
    const FlowEnd& low = ordered ? one : other;
    const FlowEnd& high = ordered ? other : one;
    std::vector<uint8_t> input;
    input.reserve(64);
    Append(input, seed);
    Append(input, low.address);
    Append(input, high.address);
    input.push_back(kTcp);
    input.push_back(0);
    Append(input, low.port);
    Append(input, high.port);
    std::string id = "1:";
    AppendBase64(id, Sha1(input));
    return id;
}

} // namespace mailtap::stream
