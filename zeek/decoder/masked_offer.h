// Offers of TLS, or requests for it, that somebody on the way overwrote at their length, so that no TLS comes.

#pragma once

#include <string_view>

namespace mailtap::decoder {

// Four or more X, the last letter perhaps another one: XXXXXXXX, XXXXXXXA. `word` stands alone in its line.
bool IsOverwritten(std::string_view word);

// That, or `offer` (STARTTLS, STLS) with one letter changed.
bool IsMaskedOffer(std::string_view word, std::string_view offer);

// The text of a greeting whose letters are asterisks: what Cisco's mail fixup leaves of it are blanks, 0 and 2.
bool IsMaskedGreeting(std::string_view text);

} // namespace mailtap::decoder
