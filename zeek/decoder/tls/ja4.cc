#include "ja4.h"

#include <algorithm>
#include <array>

#include "bytes.h"
#include "decoder/text.h"
#include "extensions.h"
#include "hex.h"
#include "limits.h"
#include "sha256.h"

namespace mailtap::decoder::tls {

namespace {

constexpr std::size_t kLength = 36;
constexpr std::string_view kNoHash = "000000000000"; // of an empty list

void AppendDecimal(std::string& text, std::size_t count) {
    count = std::min<std::size_t>(count, 99);
    text += static_cast<char>('0' + count / 10);
    text += static_cast<char>('0' + count % 10);
}

std::string_view VersionCode(uint16_t version) {
    switch ( version ) {
        case 0x0304: return "13";
        case 0x0303: return "12";
        case 0x0302: return "11";
        case 0x0301: return "10";
        case 0x0300: return "s3";
        case 0x0002: return "s2";
        case 0xfeff: return "d1";
        case 0xfefd: return "d2";
        case 0xfefc: return "d3";
        default: return "00";
    }
}

// The first and the last character; those of the hexadecimal form when one of them is no letter or digit.
void AppendProtocol(std::string& text, std::string_view protocol) {
    if ( protocol.empty() ) {
        text += "00";
        return;
    }
    const char first = protocol.front();
    const char last = protocol.back();
    const bool plain = (IsLetter(first) || IsDigit(first)) && (IsLetter(last) || IsDigit(last));
    text += plain ? first : kHexDigits[static_cast<uint8_t>(first) >> 4];
    text += plain ? last : kHexDigits[static_cast<uint8_t>(last) & 0xf];
}

// The values as four hexadecimal digits each, between commas.
void AppendList(std::string& text, const std::vector<uint16_t>& values) {
    for ( std::size_t i = 0; i < values.size(); ++i ) {
        if ( i > 0 )
            text += ',';
        AppendHex(text, static_cast<uint8_t>(values[i] >> 8));
        AppendHex(text, static_cast<uint8_t>(values[i]));
    }
}

void AppendHash(std::string& text, std::string_view list) {
    if ( list.empty() ) {
        text += kNoHash;
        return;
    }
    const std::array<uint8_t, 32> digest = Sha256(list);
    for ( std::size_t i = 0; i < kNoHash.size() / 2; ++i )
        AppendHex(text, digest[i]);
}

bool AddNumbers(std::vector<uint16_t>& numbers, std::string_view list) {
    numbers.reserve(std::min(numbers.size() + list.size() / 2, kMaxListed));
    for ( ; list.size() >= 2; list.remove_prefix(2) ) {
        const auto number = static_cast<uint16_t>(Number(list, 0, 2));
        if ( IsGrease(number) )
            continue;
        if ( numbers.size() == kMaxListed )
            return false;
        numbers.push_back(number);
    }
    return true;
}

} // namespace

void ClientHello::AddCiphers(std::string_view list) { too_long |= ! AddNumbers(ciphers, list); }

void ClientHello::AddExtension(uint16_t type) {
    if ( extensions.size() == kMaxListed )
        too_long = true;
    else if ( ! IsGrease(type) )
        extensions.push_back(type);
}

void ClientHello::AddSignatureAlgorithms(std::string_view extension) {
    std::string_view list;
    if ( TakeVector(extension, 2, list) )
        too_long |= ! AddNumbers(signature_algorithms, list);
}

std::size_t ClientHello::Memory() const {
    return (ciphers.capacity() + extensions.capacity() + signature_algorithms.capacity()) * sizeof(uint16_t) +
           protocol.capacity();
}

std::string Ja4(ClientHello hello) {
    if ( hello.too_long )
        return {};

    std::ranges::sort(hello.ciphers);
    std::ranges::sort(hello.extensions);
    const std::size_t all_extensions = hello.extensions.size();
    const bool named = std::ranges::binary_search(hello.extensions, extension::kServerName);
    std::erase_if(hello.extensions,
                  [](uint16_t type) { return type == extension::kServerName || type == extension::kProtocols; });

    std::string ja4;
    ja4.reserve(kLength);
    ja4 += 't';
    ja4 += VersionCode(hello.version);
    ja4 += named ? 'd' : 'i';
    AppendDecimal(ja4, hello.ciphers.size());
    AppendDecimal(ja4, all_extensions);
    AppendProtocol(ja4, hello.protocol);

    std::string list;
    list.reserve(5 * std::max(hello.ciphers.size(), hello.extensions.size() + hello.signature_algorithms.size()));
    AppendList(list, hello.ciphers);
    ja4 += '_';
    AppendHash(ja4, list);

    list.clear();
    AppendList(list, hello.extensions);
    if ( ! hello.signature_algorithms.empty() ) {
        list += '_';
        AppendList(list, hello.signature_algorithms);
    }
    ja4 += '_';
    AppendHash(ja4, list);
    return ja4;
}

} // namespace mailtap::decoder::tls
