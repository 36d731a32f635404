#include "distinguished_name.h"

#include <array>
#include <utility>
#include <vector>

#include "bytes.h"
#include "der.h"
#include "hex.h"
#include "limits.h"

namespace mailtap::decoder::tls {

namespace {

using namespace std::string_view_literals;

// Object identifiers as in DER, and the names that OpenSSL writes for them.
constexpr std::array kAttributes = {
    std::pair{"\x55\x04\x03"sv, "CN"sv},
    std::pair{"\x55\x04\x04"sv, "SN"sv},
    std::pair{"\x55\x04\x05"sv, "serialNumber"sv},
    std::pair{"\x55\x04\x06"sv, "C"sv},
    std::pair{"\x55\x04\x07"sv, "L"sv},
    std::pair{"\x55\x04\x08"sv, "ST"sv},
    std::pair{"\x55\x04\x09"sv, "street"sv},
    std::pair{"\x55\x04\x0a"sv, "O"sv},
    std::pair{"\x55\x04\x0b"sv, "OU"sv},
    std::pair{"\x55\x04\x0c"sv, "title"sv},
    std::pair{"\x55\x04\x0d"sv, "description"sv},
    std::pair{"\x55\x04\x0f"sv, "businessCategory"sv},
    std::pair{"\x55\x04\x11"sv, "postalCode"sv},
    std::pair{"\x55\x04\x12"sv, "postOfficeBox"sv},
    std::pair{"\x55\x04\x14"sv, "telephoneNumber"sv},
    std::pair{"\x55\x04\x29"sv, "name"sv},
    std::pair{"\x55\x04\x2a"sv, "GN"sv},
    std::pair{"\x55\x04\x2b"sv, "initials"sv},
    std::pair{"\x55\x04\x2c"sv, "generationQualifier"sv},
    std::pair{"\x55\x04\x2e"sv, "dnQualifier"sv},
    std::pair{"\x55\x04\x41"sv, "pseudonym"sv},
    std::pair{"\x55\x04\x61"sv, "organizationIdentifier"sv},
    std::pair{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"sv, "UID"sv},
    std::pair{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"sv, "DC"sv},
    std::pair{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv, "emailAddress"sv},
    std::pair{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02"sv, "unstructuredName"sv},
    std::pair{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01"sv, "jurisdictionL"sv},
    std::pair{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02"sv, "jurisdictionST"sv},
    std::pair{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03"sv, "jurisdictionC"sv},
};
constexpr std::string_view kCommonName = kAttributes[0].first;

std::string_view AttributeName(std::string_view oid) {
    for ( const auto& [known, name] : kAttributes )
        if ( known == oid )
            return name;
    return {};
}

std::string DottedNumbers(std::string_view oid) {
    std::string text;
    uint64_t number = 0;
    for ( const char c : oid ) {
        constexpr uint8_t more = 0x80;
        const auto byte = static_cast<uint8_t>(c);
        number = number << 7 | (byte & ~more);
        if ( byte & more )
            continue;
        if ( text.empty() ) {
            const uint64_t first = number < 80 ? number / 40 : 2;
            text = std::to_string(first) + '.' + std::to_string(number - 40 * first);
        }
        else
            text += '.' + std::to_string(number);
        number = 0;
    }
    return text;
}

// A character as RFC 2253 2.4 wants it; what is no printable ASCII as the octets of its UTF-8 form.
void AppendCharacter(std::string& text, uint32_t character) {
    constexpr std::string_view special = ",+\"\\<>;";
    auto escape = [&text](uint32_t octet) {
        text += '\\';
        AppendHex(text, static_cast<uint8_t>(octet), kUpperHexDigits);
    };
    auto follow = [&escape, character](int shift) { escape(0x80 | (character >> shift & 0x3f)); };

    if ( character < 0x20 || character == 0x7f )
        escape(character);
    else if ( character < 0x80 ) {
        if ( special.find(static_cast<char>(character)) != std::string_view::npos )
            text += '\\';
        text += static_cast<char>(character);
    }
    else if ( character < 0x800 ) {
        escape(0xc0 | character >> 6);
        follow(0);
    }
    else if ( character < 0x10000 ) {
        escape(0xe0 | character >> 12);
        follow(6);
        follow(0);
    }
    else {
        escape(0xf0 | (character >> 18 & 0x07));
        follow(12);
        follow(6);
        follow(0);
    }
}

// The octets of a character in strings of this type; 0 for what is no string.
std::size_t CharacterWidth(uint8_t tag) {
    constexpr uint8_t numeric = 0x12, printable = 0x13, teletex = 0x14, ia5 = 0x16, visible = 0x1a;
    switch ( tag ) {
        case der::kUtf8String:
        case numeric:
        case printable:
        case teletex:
        case ia5:
        case visible: return 1;
        case der::kBmpString: return 2;
        case der::kUniversalString: return 4;
        default: return 0;
    }
}

std::string ValueText(const der::Element& value) {
    std::string text;
    const std::size_t width = CharacterWidth(value.tag);
    if ( width == 0 || value.content.size() % width != 0 ) {
        text = '#';
        for ( const char c : value.whole )
            AppendHex(text, static_cast<uint8_t>(c), kUpperHexDigits);
        return text;
    }

    const std::size_t count = value.content.size() / width;
    for ( std::size_t i = 0; i < count; ++i ) {
        const uint32_t character = Number(value.content, i * width, width);
        const bool at_edge = i == 0 || i == count - 1;
        if ( (character == ' ' && at_edge) || (character == '#' && i == 0) )
            text += '\\';
        if ( value.tag == der::kUtf8String && character >= 0x80 ) { // an octet, which stays as it is
            text += '\\';
            AppendHex(text, static_cast<uint8_t>(character), kUpperHexDigits);
        }
        else
            AppendCharacter(text, character);
    }
    return text;
}

} // namespace

DistinguishedName ReadDistinguishedName(std::string_view content) {
    DistinguishedName name;
    struct Part {
        std::string text;
        bool joined; // to the part before it, in one set
    };
    std::vector<Part> parts;

    der::Element set;
    while ( parts.size() < kMaxNameParts && der::Take(content, der::kSet, set) ) {
        bool joined = false;
        der::Element pair;
        der::Element oid;
        der::Element value;
        while ( parts.size() < kMaxNameParts && der::Take(set.content, der::kSequence, pair) ) {
            if ( ! der::Take(pair.content, der::kObjectIdentifier, oid) || ! der::Take(pair.content, value) ||
                 oid.content.size() + value.content.size() > kMaxNameText )
                continue;
            const std::string_view known = AttributeName(oid.content);
            std::string text = known.empty() ? DottedNumbers(oid.content) : std::string(known);
            // What has no name may have any meaning, so it is shown as it is.
            text += '=' + ValueText(known.empty() ? der::Element{0, value.content, value.whole} : value);
            parts.push_back({std::move(text), joined});
            joined = true;
            if ( oid.content == kCommonName )
                name.common_name = IsHostText(value.content) && value.content.size() <= kMaxHostName ?
                                       std::string(value.content) :
                                       std::string();
        }
    }

    // The last part comes first.
    for ( std::size_t i = parts.size(); i-- > 0; ) {
        const std::string_view separator = name.text.empty() ? "" : parts[i + 1].joined ? "+" : ",";
        if ( name.text.size() + separator.size() + parts[i].text.size() > kMaxNameText )
            break;
        name.text.append(separator).append(parts[i].text);
    }
    return name;
}

} // namespace mailtap::decoder::tls
