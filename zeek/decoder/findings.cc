#include "findings.h"

namespace mailtap::decoder {

namespace {

bool IsAccepted(const Evidence& e) { return e.server.starttls_accepted || e.exchange.starttls == Outcome::Success; }

// A client that was refused may go on in the clear, and ask again.
bool IsRefused(const Evidence& e) {
    return e.exchange.starttls == Outcome::Failure || (e.server.starttls_refused && ! IsAccepted(e));
}

bool IsEncrypted(const Evidence& e) { return e.client.tls_upgrade || e.server.tls_upgrade; }

// Devices overwrite other extensions, too: where an offer was seen, it wasn't that.
bool IsMasked(const Evidence& e) {
    return e.client.starttls_masked || (e.server.starttls_masked && ! e.server.starttls_offered);
}

bool IsCommandInjected(const Evidence& e) { return e.client.command_injected && ! IsRefused(e); }

// Replies behind the one that is paired with the request are told from it by their place, whatever their words.
bool IsResponseInjected(const Evidence& e) {
    return e.server.response_injected || (e.server.tls_upgrade && e.exchange.replies_after_starttls > 0);
}

// RFC 8446 6, 7.2 of RFC 5246. A warning may be followed by the handshake's rest.
bool EndsHandshake(const tls::Facts& side) {
    constexpr uint8_t fatal = 2;
    constexpr uint8_t close_notify = 0;
    constexpr uint8_t user_canceled = 90;
    switch ( side.alert ) {
        case tls::Alert::Clear:
            return side.alert_level == fatal ||
                   (! side.change_cipher_spec &&
                    (side.alert_description == close_notify || side.alert_description == user_canceled));
        case tls::Alert::Encrypted: return ! side.finished;
        case tls::Alert::None: break;
    }
    return side.ending == tls::Ending::Text;
}

bool IsTlsFailed(const Evidence& e) {
    for ( const tls::Facts* side : {&e.client_tls, &e.server_tls} )
        if ( ! side->application_data && EndsHandshake(*side) )
            return true;
    // The server answers the client's hello in the clear, or says that its own TLS doesn't work.
    const bool answered = e.server.failed_after_accept || e.server.plain_after_accept;
    return ! e.server.tls_upgrade && ((e.client.tls_upgrade && answered) || e.server.tls_failure_after_accept);
}

// A server's success shows a login, but not always which: its client's commands are better evidence.
bool IsCleartextLogin(const Evidence& e) {
    const bool client_seen = e.client.commands > 0 && ! e.client_lost;
    return e.client.password_sent || (! client_seen && e.server.password_accepted);
}

} // namespace

bool IsPlainAfterAccept(const Evidence& e) {
    if ( IsEncrypted(e) )
        return false;
    return e.server.plain_after_accept || (IsAccepted(e) && e.client.plain_after_last_request);
}

std::vector<std::string> FindingsOf(const Evidence& e) {
    std::vector<std::string> findings;
    const auto add = [&findings](bool found, const char* name) {
        if ( found )
            findings.emplace_back(name);
    };
    add(IsCommandInjected(e), "command_injected");
    add(IsResponseInjected(e), "response_injected");
    add(IsMasked(e), "starttls_masked");
    add(IsPlainAfterAccept(e), "plaintext_after_accept");
    add(e.server.preauth, "preauth");
    add(e.server.referral || (e.server.alert_text && (IsEncrypted(e) || IsAccepted(e))), "referral");
    add(IsCleartextLogin(e), "cleartext_login");
    add(IsTlsFailed(e), "tls_failed");
    add(e.smuggled, "smuggled");
    return findings;
}

} // namespace mailtap::decoder
