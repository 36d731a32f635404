#include "text.h"

#include <algorithm>

namespace mailtap::decoder {

bool EqualsNoCase(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

bool StartsWithNoCase(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && EqualsNoCase(text.substr(0, prefix.size()), prefix);
}

bool ContainsNoCase(std::string_view text, std::string_view needle) {
    auto found = std::search(text.begin(), text.end(), needle.begin(), needle.end(),
                             [](char x, char y) { return Lower(x) == Lower(y); });
    return found != text.end();
}

std::string_view Trim(std::string_view text) {
    while ( ! text.empty() && IsBlank(text.front()) )
        text.remove_prefix(1);
    while ( ! text.empty() && IsBlank(text.back()) )
        text.remove_suffix(1);
    return text;
}

std::string_view TakeWord(std::string_view& text) {
    text = Trim(text);
    std::size_t end = 0;
    while ( end < text.size() && ! IsBlank(text[end]) )
        ++end;
    std::string_view word = text.substr(0, end);
    text = Trim(text.substr(end));
    return word;
}

bool ParseNumber(std::string_view text, uint64_t& number) {
    if ( text.empty() )
        return false;

    uint64_t value = 0;
    for ( char c : text ) {
        if ( ! IsDigit(c) )
            return false;
        uint64_t digit = static_cast<uint64_t>(c - '0');
        if ( value > (UINT64_MAX - digit) / 10 )
            return false;
        value = value * 10 + digit;
    }
    number = value;
    return true;
}

bool IsText(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7f) || c == '\t';
    });
}

std::string ToUpper(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(), Upper);
    return upper;
}

namespace {

int Base64Value(char c) {
    if ( c >= 'A' && c <= 'Z' )
        return c - 'A';
    if ( c >= 'a' && c <= 'z' )
        return c - 'a' + 26;
    if ( IsDigit(c) )
        return c - '0' + 52;
    if ( c == '+' )
        return 62;
    if ( c == '/' )
        return 63;
    return -1;
}

template <typename Put>
bool DecodeBase64(std::string_view text, const Put& put) {
    while ( ! text.empty() && text.back() == '=' )
        text.remove_suffix(1);
    if ( text.size() % 4 == 1 )
        return false;

    uint32_t bits = 0;
    int count = 0;
    for ( char c : text ) {
        int value = Base64Value(c);
        if ( value < 0 )
            return false;
        bits = bits << 6 | static_cast<uint32_t>(value);
        count += 6;
        if ( count >= 8 ) {
            count -= 8;
            put(static_cast<char>(bits >> count & 0xff));
        }
    }
    return true;
}

} // namespace

bool DecodeBase64(std::string_view text, std::string& decoded) {
    decoded.clear();
    decoded.reserve(text.size() / 4 * 3 + 2);
    return DecodeBase64(text, [&decoded](char c) { decoded.push_back(c); });
}

bool DecodeBase64(std::string_view text, SecretBuffer& decoded) {
    decoded.Clear();
    return DecodeBase64(text, [&decoded](char c) { decoded.Append(c); });
}

std::string_view Bounded(std::string_view text, std::size_t limit) {
    if ( text.size() <= limit )
        return text;
    while ( limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80 )
        --limit;
    return text.substr(0, limit);
}

void AddToSet(std::vector<std::string>& set, std::string_view value) {
    value = Bounded(value, kMaxAddress);
    std::size_t bytes = value.size();
    for ( const auto& known : set ) {
        if ( known == value )
            return;
        bytes += known.size();
    }
    if ( ! value.empty() && set.size() < kMaxAddresses && bytes <= kMaxAddressBytes )
        set.emplace_back(value);
}

} // namespace mailtap::decoder
