#include "uid.h"

#include <string_view>
#include <vector>

#include "stream/sha1.h"

namespace mailtap::engine {

namespace {

void Append(std::vector<uint8_t>& bytes, uint64_t value, int octets) {
    for ( int shift = 8 * (octets - 1); shift >= 0; shift -= 8 )
        bytes.push_back(static_cast<uint8_t>(value >> shift));
}

void Append(std::vector<uint8_t>& bytes, const Address& address) {
    bytes.insert(bytes.end(), address.Octets().begin(), address.Octets().end());
}

void AppendBase62(std::string& text, uint64_t value) {
    constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for ( ; value > 0; value /= kDigits.size() )
        text += kDigits[value % kDigits.size()];
}

} // namespace

std::string Uid(const TcpSession& session) {
    std::vector<uint8_t> input;
    for ( const Endpoint* endpoint : {&session.Originator(), &session.Responder()} ) {
        Append(input, endpoint->address);
        Append(input, endpoint->port, 2);
    }
    Append(input, static_cast<uint64_t>(session.Start()), 8);
    const auto digest = stream::Sha1(input);
    uint64_t value[2] = {};
    for ( std::size_t i = 0; i < 12; ++i ) // as many bits as Zeek's
        value[i / 6] = value[i / 6] << 8 | digest[i];
    std::string uid = "C";
    AppendBase62(uid, value[0]);
    AppendBase62(uid, value[1]);
    return uid;
}

} // namespace mailtap::engine
