#include "clock.h"

#include <cstdlib>

namespace mailtap::engine {

void Clock::See(Time stamp) {
    if ( ! started_ ) {
        started_ = true;
        reference_ = stamp;
    }
    if ( std::abs(stamp - reference_) <= kPlausibleStep ) {
        if ( stamp > reference_ )
            MoveTo(stamp);
        confirmations_ = 0;
        return;
    }
    const bool confirms = confirmations_ > 0 && std::abs(stamp - suspect_) <= kPlausibleStep;
    confirmations_ = confirms ? confirmations_ + 1 : 1;
    suspect_ = stamp;
    if ( confirmations_ == kConfirmations ) {
        MoveTo(stamp);
        confirmations_ = 0;
    }
}

void Clock::MoveTo(Time stamp) {
    if ( stamp > reference_ )
        elapsed_ += stamp - reference_;
    reference_ = stamp;
}

} // namespace mailtap::engine
