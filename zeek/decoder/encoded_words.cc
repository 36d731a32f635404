#include "encoded_words.h"

#include <array>
#include <cstdint>

#include "text.h"

namespace mailtap::decoder {

namespace {

enum class Charset { Unknown, Utf8, Latin1, Latin9, Windows1252 };

Charset CharsetOf(std::string_view name) {
    name = name.substr(0, name.find('*')); // RFC 2231 5: a language may follow
    if ( EqualsNoCase(name, "utf-8") || EqualsNoCase(name, "utf8") || EqualsNoCase(name, "us-ascii") )
        return Charset::Utf8;
    if ( EqualsNoCase(name, "iso-8859-1") || EqualsNoCase(name, "latin1") )
        return Charset::Latin1;
    if ( EqualsNoCase(name, "iso-8859-15") )
        return Charset::Latin9;
    if ( EqualsNoCase(name, "windows-1252") || EqualsNoCase(name, "cp1252") )
        return Charset::Windows1252;
    return Charset::Unknown;
}

// Windows-1252's 0x80 to 0x9f; 0 where nothing is assigned.
constexpr std::array<uint16_t, 32> kWindows1252 = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

uint32_t CodePoint(unsigned char byte, Charset charset) {
    if ( charset == Charset::Windows1252 && byte >= 0x80 && byte < 0xa0 )
        return kWindows1252[byte - 0x80];
    if ( charset == Charset::Latin9 ) {
        switch ( byte ) {
            case 0xa4: return 0x20ac;
            case 0xa6: return 0x0160;
            case 0xa8: return 0x0161;
            case 0xb4: return 0x017d;
            case 0xb8: return 0x017e;
            case 0xbc: return 0x0152;
            case 0xbd: return 0x0153;
            case 0xbe: return 0x0178;
            default: break;
        }
    }
    return byte;
}

void AppendUtf8(std::string& out, uint32_t code_point) {
    if ( code_point < 0x80 )
        out.push_back(static_cast<char>(code_point));
    else if ( code_point < 0x800 ) {
        out.push_back(static_cast<char>(0xc0 | code_point >> 6));
        out.push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
    }
    else {
        out.push_back(static_cast<char>(0xe0 | code_point >> 12));
        out.push_back(static_cast<char>(0x80 | (code_point >> 6 & 0x3f)));
        out.push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
    }
}

int HexValue(char c) {
    if ( IsDigit(c) )
        return c - '0';
    c = Upper(c);
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool DecodeQ(std::string_view text, std::string& decoded) {
    decoded.clear();
    for ( std::size_t i = 0; i < text.size(); ++i ) {
        if ( text[i] == '_' )
            decoded.push_back(' ');
        else if ( text[i] != '=' )
            decoded.push_back(text[i]);
        else {
            if ( i + 2 >= text.size() )
                return false;
            int high = HexValue(text[i + 1]);
            int low = HexValue(text[i + 2]);
            if ( high < 0 || low < 0 )
                return false;
            decoded.push_back(static_cast<char>(high << 4 | low));
            i += 2;
        }
    }
    return true;
}

// One encoded word at the start of `text`: its length there, and its text in `out`. 0 when there is none.
std::size_t DecodeWord(std::string_view text, std::string& out) {
    if ( ! text.starts_with("=?") )
        return 0;
    std::size_t charset_end = text.find('?', 2);
    if ( charset_end == std::string_view::npos || charset_end + 2 >= text.size() || text[charset_end + 2] != '?' )
        return 0;
    std::size_t end = text.find("?=", charset_end + 3);
    if ( end == std::string_view::npos )
        return 0;

    Charset charset = CharsetOf(text.substr(2, charset_end - 2));
    char encoding = Upper(text[charset_end + 1]);
    std::string_view payload = text.substr(charset_end + 3, end - charset_end - 3);
    std::string bytes;
    if ( charset == Charset::Unknown || ! (encoding == 'B' ? DecodeBase64(payload, bytes) :
                                           encoding == 'Q' ? DecodeQ(payload, bytes) :
                                                             false) )
        return 0;

    if ( charset == Charset::Utf8 )
        out = std::move(bytes);
    else
        for ( char c : bytes )
            if ( uint32_t code_point = CodePoint(static_cast<unsigned char>(c), charset) )
                AppendUtf8(out, code_point);
    return end + 2;
}

} // namespace

std::string DecodeEncodedWords(std::string_view text) {
    std::string out;
    std::size_t blanks = 0; // at the end of `out`, right behind an encoded word: they go if another one follows
    bool behind_word = false;
    while ( ! text.empty() ) {
        if ( ! behind_word && text.front() != '=' ) {
            std::string_view plain = text.substr(0, text.find('='));
            out += plain;
            text.remove_prefix(plain.size());
            continue;
        }
        std::string word;
        if ( std::size_t length = DecodeWord(text, word) ) {
            if ( behind_word )
                out.resize(out.size() - blanks);
            out += word;
            text.remove_prefix(length);
            behind_word = true;
            blanks = 0;
            continue;
        }
        if ( behind_word && IsBlank(text.front()) )
            ++blanks;
        else
            behind_word = false;
        out.push_back(text.front());
        text.remove_prefix(1);
    }
    return out;
}

} // namespace mailtap::decoder
