#include "identifiers.h"

#include <string_view>
#include <vector>

#include "sha1.h"

namespace mailtap::engine {

namespace {

void Append(std::vector<uint8_t>& bytes, uint64_t value, int octets) {
    for ( int shift = 8 * (octets - 1); shift >= 0; shift -= 8 )
        bytes.push_back(static_cast<uint8_t>(value >> shift));
}

void Append(std::vector<uint8_t>& bytes, const Address& address) {
    bytes.insert(bytes.end(), address.Octets().begin(), address.Octets().end());
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

void AppendBase62(std::string& text, uint64_t value) {
    constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for ( ; value > 0; value /= kDigits.size() )
        text += kDigits[value % kDigits.size()];
}

} // namespace

std::string CommunityId(const Endpoint& originator, const Endpoint& responder, uint16_t seed) {
    const Endpoint& low = std::min(originator, responder);
    const Endpoint& high = std::max(originator, responder);
    std::vector<uint8_t> input;
    Append(input, seed, 2);
    Append(input, low.address);
    Append(input, high.address);
    Append(input, kTcp, 1);
    Append(input, 0, 1);
    Append(input, low.port, 2);
    Append(input, high.port, 2);
    std::string id = "1:";
    AppendBase64(id, Sha1(input));
    return id;
}

std::string Uid(const TcpSession& session) {
    std::vector<uint8_t> input;
    for ( const Endpoint* endpoint : {&session.Originator(), &session.Responder()} ) {
        Append(input, endpoint->address);
        Append(input, endpoint->port, 2);
    }
    Append(input, static_cast<uint64_t>(session.Start()), 8);
    const auto digest = Sha1(input);
    uint64_t value[2] = {};
    for ( std::size_t i = 0; i < 12; ++i ) // as many bits as Zeek's
        value[i / 6] = value[i / 6] << 8 | digest[i];
    std::string uid = "C";
    AppendBase62(uid, value[0]);
    AppendBase62(uid, value[1]);
    return uid;
}

} // namespace mailtap::engine
