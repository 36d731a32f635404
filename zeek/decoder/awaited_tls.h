// What a side sends between the line that asks for TLS, or accepts it, and the hello: nothing, unless somebody injects
// it (RFC 3207 4.2, RFC 2595 4, RFC 9051 6.2.1).

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "secret_buffer.h"
#include "side_facts.h"

namespace mailtap::decoder {

// TLS may as well be refused, and text go on: so the bytes are decoded as text all the same, and what they told is
// taken back when the hello comes.
class AwaitedTls {
public:
    // `facts`: those up to the line's end.
    explicit AwaitedTls(const SideFacts& facts) : before_(facts) {}

    // What was awaited before, since an earlier line. Of its facts those of the first lines are kept.
    void Follow(const AwaitedTls& before);

    // The facts up to each of the earlier lines, in their order, for somebody else to keep.
    std::vector<SideFactsMark> TakeEarlier() { return std::move(earlier_); }

    // Takes the side's next bytes. The hello's, as soon as enough of it came, whether it stands at a line's beginning
    // or not.
    std::optional<SecretBuffer> Find(std::string_view bytes);

    // Whether more than line ends came before the hello that Find() gave out.
    bool TextBefore() const { return text_; }

    // Likewise, of a hello that ends in `start` so far and that Find() has yet to see more of.
    bool TextBefore(std::string_view start) const;

    // Too much came: TLS was refused.
    bool GivenUp() const { return searched_ > kMaxAwaitedTls; }

    void Restore(SideFacts& facts) const { before_.Restore(facts); }
    std::size_t Memory() const;

private:
    SideFactsMark before_;
    std::vector<SideFactsMark> earlier_;
    SecretBuffer end_; // the last bytes, which may begin the hello
    uint64_t searched_ = 0;
    bool text_ = false; // before those
};

} // namespace mailtap::decoder
