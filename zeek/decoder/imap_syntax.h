// What both sides' lines of IMAP have in common: tags, literals, status words (RFC 9051 9).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "line_buffer.h"
#include "secret_buffer.h"

namespace mailtap::decoder::imap {

// RFC 9051 9: a tag is any ASTRING-CHAR except "+".
bool IsTag(std::string_view word);

// Tags are compared without case, as some servers do.
uint32_t HashTag(std::string_view tag);

bool IsStatusWord(std::string_view word);

// A literal's announcement at a line's end: `{n}`, `{n+}`, `{n-}` or `~{n}`.
struct Literal {
    uint64_t length = 0;
    bool certain = false;    // RFC 7888: the client doesn't ask first
    std::size_t written = 0; // length of the announcement itself
};

bool ReadLiteral(const Line& line, Literal& literal);

// Adds to a line with literals, which is bounded as one line is.
void Extend(SecretBuffer& text, std::string_view more);

// Adds what stands before a literal's announcement. Of a line beyond kMaxLine that is its beginning and its end.
void ExtendBefore(SecretBuffer& text, const Literal& literal, const Line& line);

void ExtendQuoted(SecretBuffer& text, std::string_view value);

} // namespace mailtap::decoder::imap
