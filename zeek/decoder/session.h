// The decoder's interface: feed a TCP session's payload, ask for its facts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "facts.h"
#include "side.h"

namespace mailtap::decoder {

// Ports on which weaker evidence of the protocol is enough; a handful each.
struct Ports {
    std::vector<uint16_t> smtp = {25, 465, 587};
    std::vector<uint16_t> pop3 = {110, 995};
    std::vector<uint16_t> imap = {143, 993};

    // Of those, the ports where TLS begins with the first byte (RFC 8314). On the others a session that shows TLS
    // without its beginning had STARTTLS.
    std::vector<uint16_t> implicit_tls = {465, 993, 995};

    Service ServiceOf(uint16_t port) const;
    Service UpgradedServiceOf(uint16_t port) const;
};

// What the host knows of the connection before any payload.
struct Connection {
    uint16_t orig_port = 0;
    uint16_t resp_port = 0;
    bool midstream = false; // the handshake was not seen: the first bytes may be the middle of anything
};

// One TCP session. Both sides' bytes come in stream order per side; the order between the sides doesn't matter.
// Nothing throws except std::bad_alloc, and memory stays below kMaxSessionBytes whatever the input.
class Session {
public:
    // `ports` and `listener`, which may be null, must outlive the session.
    Session(const Ports& ports, const Connection& connection, TlsListener* listener = nullptr);

    void Data(Side side, std::span<const uint8_t> bytes);

    // `length` payload bytes of `side` that will never come; 0 when their number isn't known.
    void Gap(Side side, uint64_t length);

    // Nothing more can be learnt from the side, or from either: the host may stop feeding it.
    bool Done(Side side) const;
    bool Done() const;

    // The service as far as it is certain by now, for a host that has to say so early. Never retracted by more input.
    Service Certain() const;

    // TLS was seen to start after an upgrade.
    bool TlsStarted() const;

    // The facts of what was fed, as if the session ended here. Which sides sent packets matters for the empty cause:
    // a side without payload may still have been seen.
    Facts Result(bool orig_seen, bool resp_seen) const;

    // Heap and object bytes held now.
    std::size_t Memory() const;

private:
    SideDecoder& At(Side side);
    bool Recognised(const SideDecoder& decoder, Side side) const;
    uint16_t ServerPort(bool server_is_resp) const;

    const Ports& ports_;
    Connection connection_;
    TlsListener* listener_;
    std::unique_ptr<SideDecoder> sides_[2]; // from its first byte on
};

} // namespace mailtap::decoder
