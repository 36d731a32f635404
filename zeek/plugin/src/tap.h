// Listens to the packets of one TCP connection.

#pragma once

#include <zeek/IPAddr.h>
#include <zeek/analyzer/Analyzer.h>

#include <memory>

#include "stream/two_sides.h"

namespace zeek::packet_analysis::TCP {
class TCPSessionAdapter;
}

namespace mailtap::plugin {

constexpr auto kAnalyzerName = "MAILTAP";

// Beside Zeek's analyzers, not among them: it takes packets, so that connections of any kind reach it and Zeek's own
// reassembly, protocol detection and analyzers go on as if it weren't there. It follows every TCP connection until
// neither side can be mail any more, which mostly is for its first line.
class Tap : public zeek::analyzer::Analyzer {
public:
    // `ports` must outlive the connection. `silent_sessions`: those on mail ports that say nothing count too.
    Tap(zeek::Connection* connection, const decoder::Ports& ports, bool silent_sessions);

    void DeliverPacket(int length, const u_char* data, bool is_orig, uint64_t relative_sequence, const zeek::IP_Hdr* ip,
                       int captured) override;
    void Done() override;

    // The session's record as if the session ended here; null when it is no mail and on no mail port.
    zeek::RecordValPtr Record() const;

    // The same, only the fields of MailTap::Progress.
    zeek::RecordValPtr Progress() const;

private:
    // Zeek takes a connection whose responder is not seen for an attempt, and ends it tcp_attempt_delay (5 s) after its
    // SYN, however much the originator sends. A mail session goes on: for Zeek it is established until it ends. Then
    // conn.log has its usual conn_state, S0.
    void KeepOpen();
    void StopKeepingOpen();

    zeek::packet_analysis::TCP::TCPSessionAdapter& Adapter() const;
    bool HasRecord(const decoder::Facts& facts) const {
        return facts.service != decoder::Service::None || OnMailPort();
    }
    bool IsFirst(const zeek::IPAddr& address, uint16_t port) const {
        return port == first_port_ && address == first_address_;
    }
    bool OnMailPort() const {
        return ports_.ServiceOf(first_port_) != decoder::Service::None ||
               ports_.ServiceOf(second_port_) != decoder::Service::None;
    }

    const decoder::Ports& ports_;
    bool silent_sessions_;
    zeek::IPAddr first_address_;
    uint16_t first_port_;
    uint16_t second_port_;
    std::unique_ptr<stream::TwoSides> session_; // none any more when it can't be mail
    bool tls_announced_ = false;
    bool kept_open_ = false;
};

} // namespace mailtap::plugin
