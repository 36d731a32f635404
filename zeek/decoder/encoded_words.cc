#include "encoded_words.h"

#include <array>
#include <cstdint>

#include "text.h"

namespace mailtap::decoder {

namespace {

// RFC 2047 2 allows 75 characters for a word; some senders put a whole subject into one.
constexpr std::size_t kMaxEncodedText = 512;
constexpr std::size_t kMaxCharsetName = 48;

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
    if ( text.find("=?") != std::string_view::npos ) // another word begins: this one isn't whole
        return false;
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

// Finds where encoded words end. Positions asked for only grow, so that a text is searched once, however many words
// begin in it and don't end.
class EndFinder {
public:
    explicit EndFinder(std::string_view text) : text_(text) {}

    std::size_t After(std::size_t position) {
        if ( end_ != std::string_view::npos && end_ < position )
            end_ = text_.find("?=", position);
        return end_;
    }

private:
    std::string_view text_;
    std::size_t end_ = 0;
};

// One encoded word at `start` of `text` (RFC 2047 2): its length, and its text in `out`. 0 when there is none.
std::size_t DecodeWord(std::string_view text, std::size_t start, EndFinder& ends, std::string& out) {
    std::string_view word = text.substr(start);
    if ( ! word.starts_with("=?") )
        return 0;
    std::size_t charset_end = word.substr(0, kMaxCharsetName).find('?', 2);
    if ( charset_end == std::string_view::npos || charset_end + 2 >= word.size() || word[charset_end + 2] != '?' )
        return 0;
    std::size_t end = ends.After(start + charset_end + 3);
    if ( end == std::string_view::npos )
        return 0;
    end -= start;

    Charset charset = CharsetOf(word.substr(2, charset_end - 2));
    char encoding = Upper(word[charset_end + 1]);
    std::string_view payload = word.substr(charset_end + 3, end - charset_end - 3);
    if ( charset == Charset::Unknown || payload.size() > kMaxEncodedText )
        return 0;
    std::string bytes;
    if ( ! (encoding == 'B' ? DecodeBase64(payload, bytes) : encoding == 'Q' ? DecodeQ(payload, bytes) : false) )
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
    EndFinder ends(text);
    for ( std::size_t at = 0; at < text.size(); ) {
        if ( ! behind_word && text[at] != '=' ) {
            std::string_view plain = text.substr(at, text.find('=', at) - at);
            out += plain;
            at += plain.size();
            continue;
        }
        std::string word;
        if ( std::size_t length = DecodeWord(text, at, ends, word) ) {
            if ( behind_word )
                out.resize(out.size() - blanks);
            out += word;
            at += length;
            behind_word = true;
            blanks = 0;
            continue;
        }
        if ( behind_word && IsBlank(text[at]) )
            ++blanks;
        else
            behind_word = false;
        out.push_back(text[at]);
        ++at;
    }
    return out;
}

} // namespace mailtap::decoder
