#include "sasl.h"

#include <algorithm>
#include <array>

#include "text.h"

namespace mailtap::decoder {

namespace {

constexpr std::array<std::string_view, 19> kMechanisms = {
    "PLAIN",   "LOGIN",       "CRAM-MD5", "DIGEST-MD5",        "NTLM",      "GSSAPI",      "GSS-SPNEGO",
    "XOAUTH2", "OAUTHBEARER", "XOAUTH",   "EXTERNAL",          "ANONYMOUS", "KERBEROS_V4", "OTP",
    "SKEY",    "SRP",         "MSN",      "PLAIN-CLIENTTOKEN", "SPNEGO",
};

constexpr std::array<std::string_view, 3> kMechanismFamilies = {"SCRAM-", "GS2-", "ECDSA-"};

constexpr uint8_t kMaxResponses = 8; // GSSAPI and SCRAM take three

// The value behind `key` up to one of `ends`.
std::string_view ValueOf(std::string_view text, std::string_view key, std::string_view ends) {
    std::size_t at = text.find(key);
    if ( at == std::string_view::npos )
        return {};
    text.remove_prefix(at + key.size());
    return text.substr(0, text.find_first_of(ends));
}

// [MS-NLMP] 2.2.1.3: in an AUTHENTICATE_MESSAGE, length and offset of the user name at 36, UTF-16LE.
std::string NtlmUser(std::string_view message) {
    auto byte = [message](std::size_t at) { return static_cast<unsigned char>(message[at]); };
    if ( message.size() < 44 || ! message.starts_with(std::string_view("NTLMSSP\0", 8)) || byte(8) != 3 )
        return {};
    std::size_t length = byte(36) | byte(37) << 8;
    std::size_t offset = byte(40) | byte(41) << 8 | byte(42) << 16;
    if ( offset > message.size() || length > message.size() - offset )
        return {};

    std::string user;
    for ( char c : message.substr(offset, length) )
        if ( c != '\0' )
            user.push_back(c);
    return user;
}

// The user that the client's response number `response` names, if it does.
std::string UserIn(std::string_view mechanism, std::string_view response, uint8_t number) {
    if ( mechanism == "PLAIN" ) { // RFC 4616 2: authzid NUL authcid NUL passwd
        std::size_t first = response.find('\0');
        if ( first == std::string_view::npos )
            return {};
        std::string_view user = response.substr(first + 1);
        return std::string(user.substr(0, user.find('\0')));
    }
    if ( mechanism == "LOGIN" )
        return number == 0 ? std::string(response) : std::string();
    if ( mechanism == "XOAUTH2" )
        return std::string(ValueOf(response, "user=", "\x01"));
    if ( mechanism == "OAUTHBEARER" ) // RFC 7628 3.1, in a GS2 header
        return std::string(ValueOf(response, "a=", ",\x01"));
    if ( mechanism == "CRAM-MD5" ) { // RFC 2195 2: user, blank, digest
        std::size_t blank = response.rfind(' ');
        return blank == std::string_view::npos ? std::string() : std::string(response.substr(0, blank));
    }
    if ( mechanism == "DIGEST-MD5" )
        return std::string(ValueOf(response, "username=\"", "\""));
    if ( mechanism.starts_with("SCRAM-") && number == 0 ) // RFC 5802 5.1
        return std::string(ValueOf(response, "n=", ","));
    if ( mechanism == "EXTERNAL" )
        return std::string(response);
    if ( mechanism == "NTLM" )
        return NtlmUser(response);
    return {};
}

// How many responses the client gives. An upper bound where a server's challenge may lead to more.
uint8_t ResponsesOf(std::string_view mechanism) {
    if ( mechanism == "PLAIN" || mechanism == "CRAM-MD5" || mechanism == "EXTERNAL" )
        return 1;
    if ( mechanism == "LOGIN" || mechanism == "NTLM" || mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER" ||
         mechanism == "DIGEST-MD5" )
        return 2;
    return kMaxResponses;
}

} // namespace

bool IsMechanism(std::string_view word) {
    auto is = [word](std::string_view known) { return EqualsNoCase(word, known); };
    auto begins = [word](std::string_view family) { return StartsWithNoCase(word, family) && word.size() <= 20; };
    return std::any_of(kMechanisms.begin(), kMechanisms.end(), is) ||
           std::any_of(kMechanismFamilies.begin(), kMechanismFamilies.end(), begins);
}

void SaslExchange::Begin(std::string_view arguments, SideFacts& facts) {
    std::string_view mechanism = TakeWord(arguments);
    facts.auth = IsMechanism(mechanism) ? ToUpper(mechanism) : std::string();
    facts.user.clear();
    responses_ = 0;
    open_ = true;
    if ( ! arguments.empty() )
        Respond(arguments, facts);
}

bool SaslExchange::Answer(std::string_view line, SideFacts& facts) {
    if ( line == "*" ) { // RFC 4954 4: the client cancels
        open_ = false;
        return true;
    }
    if ( responses_ >= ResponsesOf(facts.auth) ) {
        open_ = false;
        return false;
    }
    std::string decoded;
    bool base64 = DecodeBase64(line, decoded);
    Wipe(decoded);
    if ( ! base64 ) {
        open_ = false;
        return false;
    }
    Respond(line, facts);
    return true;
}

void SaslExchange::Respond(std::string_view base64, SideFacts& facts) {
    std::string response;
    if ( base64 != "=" && DecodeBase64(base64, response) ) { // "=" is an empty initial response
        std::string user = UserIn(facts.auth, response, responses_);
        if ( ! user.empty() && IsText(user) )
            facts.user = Bounded(user);
        Wipe(user);
    }
    Wipe(response);
    ++responses_;
}

} // namespace mailtap::decoder
