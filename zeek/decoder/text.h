// Small helpers on the protocols' text. ASCII only, as the protocols' keywords are; no locale.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "limits.h"
#include "secret_buffer.h"

namespace mailtap::decoder {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool IsLetter(char c) { return Lower(c) >= 'a' && Lower(c) <= 'z'; }
constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool EqualsNoCase(std::string_view a, std::string_view b);
bool StartsWithNoCase(std::string_view text, std::string_view prefix);
bool ContainsNoCase(std::string_view text, std::string_view needle);
std::string_view Trim(std::string_view text);

// Cuts the first blank-separated word off `text` and the blanks behind it.
std::string_view TakeWord(std::string_view& text);

// All of `text` is digits and fits: its value in `number`.
bool ParseNumber(std::string_view text, uint64_t& number);

// All of `text` is printable ASCII or a byte above it (UTF-8 or a legacy charset).
bool IsText(std::string_view text);

std::string ToUpper(std::string_view text);

// Standard Base64 (RFC 4648 4), padding optional. False when `text` isn't. `decoded` is a std::string or a
// SecretBuffer.
bool DecodeBase64(std::string_view text, std::string& decoded);
bool DecodeBase64(std::string_view text, SecretBuffer& decoded);

// The longest prefix of `text` within `limit` bytes that doesn't cut a UTF-8 sequence.
std::string_view Bounded(std::string_view text, std::size_t limit = kMaxString);

// Adds `value` to a set that is bounded in count and bytes; what doesn't fit is left out.
void AddToSet(std::vector<std::string>& set, std::string_view value);

} // namespace mailtap::decoder
