// Puts fragmented IP packets together again, within bounds.

#pragma once

#include <list>
#include <optional>
#include <vector>

#include "clock.h"
#include "network.h"

namespace mailtap::engine {

// Packets of which fragments are missing, at a time: the one begun first gives way.
constexpr std::size_t kMaxFragmentedPackets = 256;

// Fragments of one packet. With 512 bytes each they are the longest packet there is.
constexpr std::size_t kMaxFragments = 128;

// RFC 791 3.1, RFC 8200 4.5: the length fields hold no more.
constexpr std::size_t kMaxPacket = 65535;

// From a packet's first fragment seen to its last. Identifications are used again: later ones are another packet's. As
// in Linux (ipfrag_time).
constexpr Time kFragmentTimeout = 30 * kSecond;

class FragmentReassembler {
public:
    // Takes a fragment; gives the whole packet's payload with the last one. It is valid until the next call. Where
    // fragments overlap the newest counts: the older one may be left of a packet that was never complete.
    std::optional<View> Add(const IpPacket& packet, Time stamp);

private:
    struct StoredFragment {
        std::size_t offset = 0;
        std::vector<uint8_t> bytes;
    };

    // A packet of which something is still missing.
    struct Incomplete {
        Address source;
        Address destination;
        uint8_t protocol = 0;
        uint32_t id = 0;
        Time begun = 0;
        std::optional<std::size_t> length;     // known once the last fragment came
        std::vector<StoredFragment> fragments; // as they came

        bool Takes(const IpPacket& packet) const;
        bool IsComplete() const;
        void Assemble(std::vector<uint8_t>& whole) const;
    };

    std::list<Incomplete>::iterator Find(const IpPacket& packet, Time stamp);

    std::list<Incomplete> packets_;
    std::vector<uint8_t> whole_;
};

} // namespace mailtap::engine
