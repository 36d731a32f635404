// Who takes the bytes of a session's TLS, to read more of them than the decoder does.

#pragma once

#include <cstddef>
#include <string_view>

#include "facts.h"

namespace mailtap::decoder {

// The decoder gives out a side's TLS from the first record's first byte on, in order and without a hole, until it has
// read what is in the clear, and this many bytes more: the first encrypted record, which shows that the handshake goes
// on (RFC 8446 5.2).
constexpr std::size_t kMaxEncryptedHeard = 5 + (1 << 14) + 256;

class TlsListener {
public:
    virtual ~TlsListener() = default;

    // Whether more of the session's TLS is wanted. Asked before each piece.
    virtual bool Listens() = 0;

    virtual void TlsData(Side side, std::string_view bytes) = 0;
};

} // namespace mailtap::decoder
