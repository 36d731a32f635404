#include "inflate.h"

#include "limits.h"

namespace mailtap::decoder {

Inflater::Inflater() { failed_ = inflateInit2(&stream_, -MAX_WBITS) != Z_OK; }

Inflater::~Inflater() { inflateEnd(&stream_); }

void Inflater::Begin(std::string_view bytes) {
    // zlib's interface lacks const.
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<unsigned>(bytes.size());
    taken_ += bytes.size();
}

bool Inflater::Next(std::string_view& part) {
    if ( failed_ || (stream_.avail_in == 0 && ! more_) )
        return false;
    stream_.next_out = part_;
    stream_.avail_out = sizeof(part_);
    int result = inflate(&stream_, Z_SYNC_FLUSH);
    std::size_t length = sizeof(part_) - stream_.avail_out;
    more_ = stream_.avail_out == 0;
    given_ += length;
    part = {reinterpret_cast<const char*>(part_), length};
    if ( result == Z_BUF_ERROR ) // no input left, which is no error
        return false;
    failed_ = result != Z_OK || (given_ > kMaxInflatedFreely && given_ / kMaxInflateRatio > taken_);
    return true;
}

} // namespace mailtap::decoder
