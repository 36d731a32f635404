// What servers say in free text, for a side whose client isn't seen: POP3 and IMAP answer +OK or OK to everything, so
// only the words tell what was asked for. A phrase that isn't listed here is no evidence.

#pragma once

#include <string_view>

namespace mailtap::decoder {

// "Begin TLS negotiation now", "Ready to start TLS".
bool AcceptsTls(std::string_view text);

// "TLS not available".
bool RefusesTls(std::string_view text);

// "Logged in", "LOGIN completed", "mailbox locked and ready", "alice has 2 messages".
bool SaysLoggedIn(std::string_view text);

// "Authentication failed", "invalid credentials".
bool RefusesLogin(std::string_view text);

// "Logging out", "Bye".
bool SaysBye(std::string_view text);

// SMTP, after the last chunk of a message: "Ok: queued as 4F2A", "OK id=1abc", "2.6.0 Queued mail for delivery".
bool SaysQueued(std::string_view text);

// IMAP: "OK DEFLATE active", "OK Begin compression.".
bool AcceptsCompression(std::string_view text);

} // namespace mailtap::decoder
