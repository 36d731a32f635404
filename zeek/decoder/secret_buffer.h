// Memory for bytes that may hold a password.

#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "limits.h"

namespace mailtap::decoder {

// Overwrites bytes in a way that the compiler keeps although nobody reads them again.
inline void Wipe(char* bytes, std::size_t length) {
    volatile char* target = bytes;
    for ( std::size_t i = 0; i < length; ++i )
        target[i] = 0;
}

// Overwrites memory before it is given back, also the old memory of a container that grows.
template <typename T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    template <typename U>
    explicit WipingAllocator(const WipingAllocator<U>& /*other*/) {}

    T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* memory, std::size_t count) {
        Wipe(reinterpret_cast<char*>(memory), count * sizeof(T));
        std::allocator<T>().deallocate(memory, count);
    }

    template <typename U>
    bool operator==(const WipingAllocator<U>& /*other*/) const {
        return true;
    }
};

// A string whose bytes are overwritten when they are cleared, moved to larger memory or destroyed. A vector holds them:
// unlike std::string, it keeps no short text within itself.
class SecretBuffer {
public:
    SecretBuffer() = default;
    explicit SecretBuffer(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}

    std::string_view View() const { return {bytes_.data(), bytes_.size()}; }
    std::size_t Size() const { return bytes_.size(); }
    bool Empty() const { return bytes_.empty(); }

    void Append(std::string_view more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
    void Append(char c) { bytes_.push_back(c); }

    void Truncate(std::size_t size) {
        if ( size < bytes_.size() ) {
            Wipe(bytes_.data() + size, bytes_.size() - size);
            bytes_.resize(size);
        }
    }

    // Gives back memory that an unusually long text took.
    void Clear() {
        Truncate(0);
        if ( bytes_.capacity() > kMaxString )
            decltype(bytes_)().swap(bytes_);
    }

    std::size_t Memory() const { return bytes_.capacity(); }

private:
    std::vector<char, WipingAllocator<char>> bytes_;
};

} // namespace mailtap::decoder
