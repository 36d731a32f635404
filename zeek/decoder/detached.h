// A part that is held by pointer and left behind when its owner is copied.

#pragma once

#include <memory>
#include <utility>

namespace mailtap::decoder {

// The decoder is copied to see what its facts would be if the input ended now. The copy gets no more input, so it needs
// neither a decompressor nor a second reading.
template <typename T>
class Detached {
public:
    Detached() = default;
    ~Detached() = default;
    Detached(const Detached& /*other*/) {}
    Detached(Detached&&) noexcept = default;
    Detached& operator=(const Detached& /*other*/) {
        held_.reset();
        return *this;
    }
    Detached& operator=(Detached&&) noexcept = default;

    template <typename... Arguments>
    T& Make(Arguments&&... arguments) {
        held_ = std::make_unique<T>(std::forward<Arguments>(arguments)...);
        return *held_;
    }

    void Drop() { held_.reset(); }
    explicit operator bool() const { return held_ != nullptr; }
    T* operator->() const { return held_.get(); }
    T* Get() const { return held_.get(); }

private:
    std::unique_ptr<T> held_;
};

} // namespace mailtap::decoder
