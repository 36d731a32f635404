#include "phrases.h"

#include <algorithm>
#include <initializer_list>

#include "text.h"

namespace mailtap::decoder {

namespace {

bool ContainsAny(std::string_view text, std::initializer_list<std::string_view> phrases) {
    return std::any_of(phrases.begin(), phrases.end(),
                       [text](std::string_view phrase) { return ContainsNoCase(text, phrase); });
}

// "mailbox alice has 3 new messages (320 octets)".
bool CountsMessages(std::string_view text) {
    const std::size_t has = text.find(" has ");
    if ( has == std::string_view::npos )
        return false;
    text.remove_prefix(has + 5);
    uint64_t number = 0;
    return ParseNumber(TakeWord(text), number) && ContainsNoCase(text, "message");
}

} // namespace

bool AcceptsTls(std::string_view text) {
    return ContainsNoCase(text, "TLS") && ContainsAny(text, {"begin", "ready", "negotiat", "go ahead", "start TLS"});
}

bool RefusesTls(std::string_view text) {
    // "Plaintext authentication disabled on non-secure (SSL/TLS) connections", "LOGIN is disabled before STARTTLS"
    // refuse a login.
    return ContainsNoCase(text, "TLS") &&
           ! ContainsAny(text, {"authentication", "login", "plaintext", "cleartext", "before", "first", "required"}) &&
           ContainsAny(text, {"not available", "unavailable", "not supported", "unsupported", "enabled", "disabled",
                              "not permitted", "not compiled", "not implemented", "temporar", "failed",
                              "invalid command", "unknown command"});
}

bool SaysLoggedIn(std::string_view text) {
    return CountsMessages(text) ||
           ContainsAny(text, {"logged in", "LOGIN completed", "LOGIN Ok", "authenticat", "maildrop", "mailbox locked",
                              "mailbox open", "opened mailbox", "user successfully", "welcome", "Success ("});
}

bool RefusesLogin(std::string_view text) {
    // RFC 2449 8, 3206, 5530. The first stands for AUTHENTICATIONFAILED and AUTHORIZATIONFAILED, too.
    bool code = ContainsAny(text, {"[AUTH", "[IN-USE]", "[LOGIN-DELAY]", "[PRIVACYREQUIRED]"});
    return code ||
           ContainsAny(
               text, {"authentication fail",   "authentication dis",       "login failed",        "invalid login",
                      "login is disabled",     "login disabled",           "logins are disabled", "login denied",
                      "authentication denied", "authentication mechanism", "unknown user",        "invalid credential",
                      "invalid user",          "invalid password",         "incorrect",           "bad login",
                      "bad password",          "password wrong",           "wrong password",      "access denied"});
}

bool SaysBye(std::string_view text) {
    return ContainsAny(text, {"logging out", "logout", "bye", "signing off", "closing", "sayonara", "farewell",
                              "better luck next time"});
}

bool SaysQueued(std::string_view text) {
    return text.starts_with("2.6.0 ") || ContainsAny(text, {"queued", "OK id=", "accepted for delivery"});
}

bool AcceptsCompression(std::string_view text) { return ContainsAny(text, {"DEFLATE", "compression"}); }

} // namespace mailtap::decoder
