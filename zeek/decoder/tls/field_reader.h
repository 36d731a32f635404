// Takes the fields of a record or message one after another off bytes that come in any cut.

#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace mailtap::decoder::tls {

// A field within one cut is never copied.
class FieldReader {
public:
    explicit FieldReader(std::size_t length) { Expect(length, length); }

    // The next field has `length` bytes, of which the first `keep` are of use.
    void Expect(std::size_t length, std::size_t keep) {
        kept_.clear();
        missing_ = length;
        keep_ = keep;
    }

    // Moves `bytes` behind the field. True, with what is of use of it, when that completes it; the view lives until
    // the next call.
    bool Take(std::string_view& bytes, std::string_view& field) {
        const std::string_view part = bytes.substr(0, missing_);
        bytes.remove_prefix(part.size());
        missing_ -= part.size();
        if ( missing_ == 0 && kept_.empty() ) {
            field = part.substr(0, keep_);
            return true;
        }
        Keep(part.substr(0, keep_ - kept_.size()));
        field = {kept_.data(), kept_.size()};
        return missing_ == 0;
    }

    // Some of the field has come.
    bool HasPart() const { return ! kept_.empty(); }

    std::size_t Memory() const { return kept_.capacity(); }

private:
    // Grows by doubling, as a vector does, but never beyond what the field may need.
    void Keep(std::string_view part) {
        const std::size_t needed = kept_.size() + part.size();
        if ( needed > kept_.capacity() )
            kept_.reserve(std::clamp(2 * kept_.capacity(), needed, keep_));
        kept_.insert(kept_.end(), part.begin(), part.end());
    }

    std::vector<char> kept_;
    std::size_t missing_ = 0;
    std::size_t keep_ = 0;
};

} // namespace mailtap::decoder::tls
