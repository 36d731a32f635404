// The time of a capture, as far as its packets' stamps can be believed.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mailtap::engine {

// Microseconds, since the epoch or between two points.
using Time = int64_t;
constexpr Time kSecond = 1'000'000;

// The median of the last stamps: a few that are off (a host's clock set anew, a damaged record) don't move it, and it
// follows a capture that does go on at another time.
class Clock {
public:
    void See(Time stamp);

    Time Now() const { return now_; }

private:
    static constexpr std::size_t kWindow = 7;

    std::array<Time, kWindow> stamps_{};
    std::size_t seen_ = 0;
    Time now_ = 0;
};

} // namespace mailtap::engine
