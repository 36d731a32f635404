// Captured packets in, session lines out.

#pragma once

#include <string>

#include "options.h"
#include "session_table.h"

namespace mailtap::engine {

class Engine {
public:
    explicit Engine(Options options);
    Engine(const Engine&) = delete; // the table refers to the options
    Engine& operator=(const Engine&) = delete;

    // The link type of the packets to come. False when it isn't known.
    bool SetLinkType(int link_type);

    // One packet: its time, the bytes captured, and how long it was on the wire.
    void Packet(Time stamp, std::span<const uint8_t> bytes, std::size_t wire_length);

    // Ends all sessions.
    void Finish() { table_.Finish(); }

    // The lines of the sessions that have ended since the last call.
    std::string TakeLines();

    const PacketCounts& Counts() const { return parser_.Counts(); }
    uint64_t Sessions() const { return sessions_; }
    std::size_t OpenSessions() const { return table_.Size(); }

    // The largest that any ended session's decoder was.
    std::size_t PeakDecoderMemory() const { return peak_decoder_memory_; }

private:
    void WriteLine(const TcpSession& session);

    Options options_;
    Layer first_layer_ = Layer::Ethernet;
    PacketParser parser_;
    SessionTable table_;
    std::string lines_;
    uint64_t sessions_ = 0;
    std::size_t peak_decoder_memory_ = 0;
};

} // namespace mailtap::engine
