#include "Plugin.h"

#include <zeek/Conn.h>
#include <zeek/ID.h>
#include <zeek/Val.h>
#include <zeek/analyzer/Component.h>
#include <zeek/packet_analysis/protocol/tcp/TCPSessionAdapter.h>

#include "tap.h"

namespace mailtap::plugin {

namespace {

Plugin plugin; // makes itself known to Zeek

std::vector<uint16_t> PortsOf(const char* option) {
    std::vector<uint16_t> ports;
    const auto set = zeek::id::find_val<zeek::TableVal>(option)->ToPureListVal();
    for ( int i = 0; i < set->Length(); ++i )
        ports.push_back(static_cast<uint16_t>(set->Idx(i)->AsPortVal()->Port()));
    return ports;
}

// So that a connection whose beginning was not seen has its mail server as the responder. Done when all scripts are
// loaded, since one of them may add a port last.
void MakeLikelyServers(const std::vector<uint16_t>& ports) {
    const auto likely = zeek::id::find_val<zeek::TableVal>("likely_server_ports");
    for ( const uint16_t port : ports )
        likely->Assign(zeek::val_mgr->Port(port, TRANSPORT_TCP), nullptr);
}

} // namespace

zeek::plugin::Configuration Plugin::Configure() {
    EnableHook(zeek::plugin::HOOK_SETUP_ANALYZER_TREE);
    AddComponent(new zeek::analyzer::Component(kAnalyzerName, nullptr)); // attached by the hook only

    zeek::plugin::Configuration configuration;
    configuration.name = "MailTap::Sessions";
    configuration.description = "Mail sessions, each side understood alone";
    configuration.version = {MAILTAP_VERSION_MAJOR, MAILTAP_VERSION_MINOR, MAILTAP_VERSION_PATCH};
    return configuration;
}

void Plugin::InitPostScript() {
    zeek::plugin::Plugin::InitPostScript();
    settings_.ports.smtp = PortsOf("MailTap::smtp_ports");
    settings_.ports.pop3 = PortsOf("MailTap::pop3_ports");
    settings_.ports.imap = PortsOf("MailTap::imap_ports");
    settings_.follow_tls = zeek::id::find_val("MailTap::follow_tls")->AsBool();
    settings_.silent_sessions = zeek::id::find_val("MailTap::silent_sessions")->AsBool();
    for ( const auto* ports : {&settings_.ports.smtp, &settings_.ports.pop3, &settings_.ports.imap} )
        MakeLikelyServers(*ports);
}

void Plugin::HookSetupAnalyzerTree(zeek::Connection* connection) {
    if ( connection->ConnTransport() != TRANSPORT_TCP || ! Tap::Wanted() )
        return;
    auto* adapter = static_cast<zeek::packet_analysis::TCP::TCPSessionAdapter*>(connection->GetSessionAdapter());
    auto* tap = new Tap(connection, settings_); // the adapter's from here on
    adapter->AddChildPacketAnalyzer(tap);
    tap->Init();
}

} // namespace mailtap::plugin
