// The time of a capture, as far as its packets' stamps can be believed.

#pragma once

#include <cstdint>

namespace mailtap::engine {

// Microseconds, since the epoch or between two points.
using Time = int64_t;
constexpr Time kSecond = 1'000'000;

// A stamp further than this from the last believed one needs confirmation.
constexpr Time kPlausibleStep = 300 * kSecond;

// Packets in a row around the same time that make it the new time.
constexpr int kConfirmations = 3;

// Single stamps that are off (a host's clock set anew, a damaged record) don't move the clock, and it never goes back.
class Clock {
public:
    void See(Time stamp);

    // Time gone by since the first packet.
    Time Elapsed() const { return elapsed_; }

private:
    void MoveTo(Time stamp);

    bool started_ = false;
    Time elapsed_ = 0;
    Time reference_ = 0; // the last believed stamp
    Time suspect_ = 0;
    int confirmations_ = 0;
};

} // namespace mailtap::engine
