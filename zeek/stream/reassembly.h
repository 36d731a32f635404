// Puts one side of a TCP session in order, by its sequence numbers alone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "view.h"

namespace mailtap::stream {

// What a side may hold behind a hole before the hole is given up.
constexpr std::size_t kMaxPendingBytes = 256 * 1024;

// The same for all sessions together.
constexpr std::size_t kMaxPendingTotal = 64 * 1024 * 1024;

// Charged for each held segment beside its bytes, so that tiny segments are bounded too.
constexpr std::size_t kPendingOverhead = 128;

// RFC 7323 2.3: no window is larger, so that numbers further ahead aren't the session's.
constexpr uint64_t kMaxWindow = 1024 * 1024 * 1024;

// A side whose beginning was not seen is held until this many segments came, so that its first ones may be out of
// order.
constexpr int kHeldSegments = 4;

// Bytes held by all sides together.
struct PendingTotal {
    std::size_t bytes = 0;
};

// Where a side's bytes go, in order, each once.
class Consumer {
public:
    virtual ~Consumer() = default;
    virtual void Data(std::span<const uint8_t> bytes) = 0;
    virtual void Gap(uint64_t length) = 0;
    // Whether the bytes still matter. If not they are only counted.
    virtual bool Wanted() const = 0;
};

// Of bytes sent twice the first that came count. Positions are sequence numbers made 64 bits wide.
class Reassembler {
public:
    explicit Reassembler(PendingTotal& total) : total_(total) {}
    ~Reassembler() { total_.bytes -= pending_bytes_; }
    Reassembler(const Reassembler&) = delete;
    Reassembler& operator=(const Reassembler&) = delete;

    // The handshake says that the payload begins at `sequence`.
    void Synchronise(uint32_t sequence, Consumer& consumer);

    // A segment's payload, which may be empty: its sequence number says where the side has got to.
    void Add(uint32_t sequence, View payload, Consumer& consumer);

    // The side ends at `sequence`: what it sends beyond doesn't count.
    void End(uint32_t sequence);

    // The other side has acknowledged everything before `sequence`.
    void Acknowledge(uint32_t sequence);

    // Delivers what is held, its holes as gaps. With `tail` what is known to be missing at the end too.
    void Flush(bool tail, Consumer& consumer);

    // Whether the payload may begin at `sequence`, going by what was seen.
    bool MayBeginAt(uint32_t sequence) const;

    // Payload bytes that came, on the wire, each once: those still held behind a hole, too.
    uint64_t Bytes() const;

    // Payload bytes missing: in holes, or cut when they were captured.
    uint64_t GapBytes() const { return hole_bytes_ + cut_bytes_; }

private:
    struct Chunk {
        std::vector<uint8_t> bytes; // empty when nobody wants them
        uint64_t length = 0;
        uint64_t cut = 0; // of these, at the end, how many were not captured

        std::size_t Cost() const { return bytes.size() + kPendingOverhead; }
    };

    enum class State : uint8_t { Unseen, Held, Running };

    uint64_t Position(uint32_t sequence) const;
    void Run(Consumer& consumer);
    void Deliver(std::span<const uint8_t> bytes, uint64_t length, uint64_t cut, Consumer& consumer);
    void DeliverPending(Consumer& consumer);
    void Hold(uint64_t begin, View payload, bool wanted);
    void HoldPiece(std::map<uint64_t, Chunk>::iterator before, uint64_t begin, View piece, bool wanted);
    void DropFirst();
    void SkipHole(uint64_t end, Consumer& consumer);

    PendingTotal& total_;
    State state_ = State::Unseen;
    int held_segments_ = 0;
    uint64_t first_ = 0; // where the payload begins
    uint64_t next_ = 0;  // the first byte not delivered yet
    uint64_t seen_ = 0;  // where the side has got to, as its own sequence numbers say
    uint64_t acknowledged_ = 0;
    std::optional<uint64_t> end_;
    uint64_t hole_bytes_ = 0;
    uint64_t cut_bytes_ = 0;
    std::map<uint64_t, Chunk> pending_;
    std::size_t pending_bytes_ = 0;
};

} // namespace mailtap::stream
