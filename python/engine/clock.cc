#include "clock.h"

#include <algorithm>

namespace mailtap::engine {

void Clock::See(Time stamp) {
    stamps_[seen_++ % kWindow] = stamp;
    std::array<Time, kWindow> sorted = stamps_;
    const std::size_t count = std::min(seen_, kWindow);
    const auto median = sorted.begin() + static_cast<std::ptrdiff_t>((count - 1) / 2);
    std::nth_element(sorted.begin(), median, sorted.begin() + static_cast<std::ptrdiff_t>(count));
    now_ = *median;
}

} // namespace mailtap::engine
