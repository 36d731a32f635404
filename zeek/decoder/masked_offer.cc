#include "masked_offer.h"

#include <algorithm>

#include "text.h"

namespace mailtap::decoder {

namespace {

constexpr std::ptrdiff_t kMaskedLetters = 4;

} // namespace

bool IsOverwritten(std::string_view word) {
    const auto last = std::find_if_not(word.begin(), word.end(), [](char c) { return c == 'X'; });
    return last - word.begin() >= kMaskedLetters &&
           (last == word.end() || (last + 1 == word.end() && *last >= 'A' && *last <= 'Z'));
}

bool IsMaskedOffer(std::string_view word, std::string_view offer) {
    if ( IsOverwritten(word) )
        return true;
    if ( word.size() != offer.size() )
        return false;
    std::size_t changed = 0;
    for ( std::size_t i = 0; i < word.size(); ++i )
        changed += Upper(word[i]) != offer[i];
    return changed == 1;
}

bool IsMaskedGreeting(std::string_view text) {
    return std::count(text.begin(), text.end(), '*') >= kMaskedLetters &&
           text.find_first_not_of("*02 ") == std::string_view::npos;
}

} // namespace mailtap::decoder
