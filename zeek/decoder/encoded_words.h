// RFC 2047: header text beyond ASCII.

#pragma once

#include <string>
#include <string_view>

namespace mailtap::decoder {

// `text` with its encoded words (`=?charset?B|Q?...?=`) as UTF-8. Words in a charset other than UTF-8, US-ASCII,
// ISO-8859-1, ISO-8859-15 and Windows-1252, and malformed ones, stay as they are.
std::string DecodeEncodedWords(std::string_view text);

} // namespace mailtap::decoder
