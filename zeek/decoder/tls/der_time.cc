#include "der_time.h"

#include <chrono>
#include <string_view>

#include "decoder/text.h"

namespace mailtap::decoder::tls {

namespace {

constexpr std::size_t kUtcTimeLength = 13;
constexpr std::size_t kGeneralizedTimeLength = 15;

// Cuts `digits` digits off, which must be there.
int TakeNumber(std::string_view& text, std::size_t digits) {
    int number = 0;
    for ( std::size_t i = 0; i < digits; ++i )
        number = number * 10 + (text[i] - '0');
    text.remove_prefix(digits);
    return number;
}

} // namespace

std::optional<int64_t> ReadTime(const der::Element& element) {
    std::string_view text = element.content;
    const bool two_digits = element.tag == der::kUtcTime && text.size() == kUtcTimeLength;
    const bool four_digits = element.tag == der::kGeneralizedTime && text.size() == kGeneralizedTimeLength;
    if ( ! (two_digits || four_digits) || text.back() != 'Z' )
        return {};
    text.remove_suffix(1);
    for ( const char c : text )
        if ( ! IsDigit(c) )
            return {};

    int year = TakeNumber(text, two_digits ? 2 : 4);
    if ( two_digits )
        year += year >= 50 ? 1900 : 2000;
    const auto month = static_cast<unsigned>(TakeNumber(text, 2));
    const auto day = static_cast<unsigned>(TakeNumber(text, 2));
    const int hour = TakeNumber(text, 2);
    const int minute = TakeNumber(text, 2);
    const int second = TakeNumber(text, 2);

    using namespace std::chrono;
    const year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if ( ! date.ok() || hour > 23 || minute > 59 || second > 59 )
        return {};
    return (sys_days(date) + hours(hour) + minutes(minute) + seconds(second)).time_since_epoch() / seconds(1);
}

} // namespace mailtap::decoder::tls
