// Listens to the packets of one TCP connection.

#pragma once

#include <zeek/IPAddr.h>
#include <zeek/analyzer/Analyzer.h>

#include <optional>

#include "decoder/tls_listener.h"
#include "stream/two_sides.h"

namespace zeek::packet_analysis::TCP {
class TCPSessionAdapter;
}

namespace mailtap::plugin {

constexpr auto kAnalyzerName = "MAILTAP";

struct Settings {
    decoder::Ports ports;
    bool silent_sessions = false; // those on mail ports that say nothing have a record, too
    bool follow_tls = true;       // Zeek's TLS analyzer gets what its other analyzers didn't give it
};

// Beside Zeek's analyzers, not among them: it takes packets, so that connections of any kind reach it and Zeek's own
// reassembly, protocol detection and analyzers go on as if it weren't there. It follows every TCP connection until
// neither side can be mail any more, which mostly is for its first line.
//
// Zeek 8.1 has an interface for this, SessionAdapter::AddTapAnalyzer. Its taps see a packet before Zeek's TCP states
// do, so that KeepOpen could give a state back in time; 8.0 hasn't got it.
class Tap : public zeek::analyzer::Analyzer, private decoder::TlsListener {
public:
    // `settings` must outlive the connection.
    Tap(zeek::Connection* connection, const Settings& settings);

    // Whether any script takes what a tap finds.
    static bool Wanted();

    // The tap of a connection that has one.
    static Tap* Of(zeek::Connection& connection);

    void DeliverPacket(int length, const u_char* data, bool is_orig, uint64_t relative_sequence, const zeek::IP_Hdr* ip,
                       int captured) override;
    void Done() override;

    // MailTap::Progress. Its fields are unset for a session that neither is mail nor uses a mail port.
    zeek::RecordValPtr Progress() const;

private:
    // Zeek's TLS analyzer is the tap's child, where the connection has none yet when its TLS begins.
    bool Listens() override;
    void TlsData(decoder::Side side, std::string_view bytes) override;

    void Decide();
    void Leave();
    void AnnounceEnd();

    // Raises the event with the session's record as if the session ended here, unless it is no mail and on no mail
    // port. `number` is that of the node's last record of this kind.
    void Raise(const zeek::EventHandlerPtr& event, uint64_t& number);

    // Zeek takes a connection whose responder is not seen for an attempt, and ends it tcp_attempt_delay (5 s) after its
    // SYN, however much the originator sends. A mail session goes on: for Zeek its originator is established until the
    // session ends or the responder is seen. Then the state is what it would have been without, and conn.log has its
    // usual conn_state.
    void KeepOpen();
    void ResponderSeen(bool handshake);
    void RestoreState();

    zeek::packet_analysis::TCP::TCPSessionAdapter& Adapter() const;
    bool HasRecord(const decoder::Facts& facts) const {
        return on_mail_port_ || facts.service != decoder::Service::None;
    }
    bool IsFirst(const zeek::IPAddr& address, uint16_t port) const {
        return port == first_port_ && address == first_address_;
    }

    const Settings& settings_;
    zeek::IPAddr first_address_;
    uint16_t first_port_;
    bool on_mail_port_;
    bool followed_; // to its end: it is mail, or on a mail port
    bool tls_announced_ = false;
    enum class Follows : uint8_t { Undecided, Yes, No } follows_tls_ = Follows::Undecided;
    std::optional<int> state_before_;         // the originator's, while the connection is kept open
    std::optional<stream::TwoSides> session_; // none any more when it can't be mail
};

} // namespace mailtap::plugin
