// Raw DEFLATE (RFC 1951), which IMAP's COMPRESS (RFC 4978) switches to. zlib does the work.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <zlib.h>

namespace mailtap::decoder {

class Inflater {
public:
    Inflater();
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    // Takes bytes, and gives what they inflate to in parts to `take`. False when the stream is damaged, has ended, or
    // grows by more than kMaxInflateRatio: nothing more can be read from it.
    template <typename Take>
    bool Data(std::string_view bytes, const Take& take) {
        Begin(bytes);
        std::string_view part;
        while ( Next(part) )
            if ( ! part.empty() )
                take(part);
        return ! failed_;
    }

    // What zlib holds for a stream of this kind (zconf.h: 1 << windowBits, and 7 KiB).
    static constexpr std::size_t kMemory = (1 << 15) + 8 * 1024;

private:
    void Begin(std::string_view bytes);
    bool Next(std::string_view& part);

    z_stream stream_{};
    unsigned char part_[2048];
    uint64_t taken_ = 0;
    uint64_t given_ = 0;
    bool failed_ = false;
    bool more_ = false; // `part_` was filled: there may be more of the same input
};

} // namespace mailtap::decoder
