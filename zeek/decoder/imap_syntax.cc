#include "imap_syntax.h"

#include <algorithm>

#include "text.h"

namespace mailtap::decoder::imap {

namespace {

constexpr std::size_t kMaxTag = 32;

} // namespace

bool IsTag(std::string_view word) {
    return ! word.empty() && word.size() <= kMaxTag && std::all_of(word.begin(), word.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("(){%*\"\\+").find(c) == std::string_view::npos;
    });
}

// The hash function FNV-1a.
uint32_t HashTag(std::string_view tag) {
    uint32_t hash = 2166136261u;
    for ( char c : tag )
        hash = (hash ^ static_cast<unsigned char>(Lower(c))) * 16777619u;
    return hash;
}

bool IsStatusWord(std::string_view word) {
    return EqualsNoCase(word, "OK") || EqualsNoCase(word, "NO") || EqualsNoCase(word, "BAD");
}

bool ReadLiteral(const Line& line, Literal& literal) {
    std::string_view end = line.end;
    std::size_t open = end.rfind('{');
    if ( line.cut || ! end.ends_with('}') || open == std::string_view::npos )
        return false;
    std::string_view number = end.substr(open + 1, end.size() - open - 2);
    literal.certain = number.ends_with('+') || number.ends_with('-');
    if ( literal.certain )
        number.remove_suffix(1);
    literal.written = end.size() - open + (open > 0 && end[open - 1] == '~');
    return ParseNumber(number, literal.length);
}

void Extend(SecretBuffer& text, std::string_view more) {
    text.Append(more.substr(0, kMaxLine - std::min(kMaxLine, text.Size())));
}

void ExtendBefore(SecretBuffer& text, const Literal& literal, const Line& line) {
    std::string_view end = line.end.substr(0, line.end.size() - literal.written);
    if ( line.text.ends_with(line.end) )
        Extend(text, line.text.substr(0, line.text.size() - literal.written));
    else {
        Extend(text, line.text.substr(0, kMaxLine - kMaxLineEnd - 1));
        Extend(text, " ");
        Extend(text, end);
    }
}

void ExtendQuoted(SecretBuffer& text, std::string_view value) {
    SecretBuffer quoted("\"");
    for ( char c : value ) {
        if ( c == '"' || c == '\\' )
            quoted.Append('\\');
        quoted.Append(c);
    }
    quoted.Append('"');
    Extend(text, quoted.View());
}

} // namespace mailtap::decoder::imap
