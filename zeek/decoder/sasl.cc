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

// The user that the client's response number `number` names, if it does.
std::string UserIn(std::string_view mechanism, std::string_view response, uint8_t number) {
    if ( mechanism == "PLAIN" ) { // RFC 4616 2: authzid NUL authcid NUL passwd. With one NUL, a password may come first
        std::size_t first = response.find('\0');
        std::size_t second = first == std::string_view::npos ? first : response.find('\0', first + 1);
        return second == std::string_view::npos ? std::string() :
                                                  UserName(response.substr(first + 1, second - first - 1));
    }
    if ( mechanism == "LOGIN" )
        return number == 0 ? UserName(response) : std::string();
    if ( mechanism == "XOAUTH2" )
        return response.starts_with("user=") ? UserName(ValueOf(response, "user=", "\x01")) : std::string();
    if ( mechanism == "OAUTHBEARER" ) // RFC 7628 3.1: in the GS2 header, which the first ^A ends
        return UserName(ValueOf(response.substr(0, response.find('\x01')), ",a=", ","));
    if ( mechanism == "CRAM-MD5" ) // RFC 2195 2: user, blank, digest
        return response.find(' ') == std::string_view::npos ? std::string() : UserName(response);
    if ( mechanism == "DIGEST-MD5" )
        return UserName(ValueOf(response, "username=\"", "\""));
    if ( mechanism.starts_with("SCRAM-") && number == 0 ) // RFC 5802 5.1
        return UserName(ValueOf(response, ",n=", ","));
    if ( mechanism == "EXTERNAL" )
        return UserName(response);
    if ( mechanism == "NTLM" )
        return UserName(NtlmUser(response));
    return {};
}

// Whether the client's response number `number` holds a password.
bool SendsPassword(std::string_view mechanism, uint8_t number) {
    return mechanism == "PLAIN" || (mechanism == "LOGIN" && number == 1);
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

bool AsksForPassword(std::string_view challenge) {
    challenge = Trim(challenge);
    SecretBuffer decoded;
    return challenge.empty() || (DecodeBase64(challenge, decoded) && (StartsWithNoCase(decoded.View(), "user") ||
                                                                      StartsWithNoCase(decoded.View(), "pass")));
}

std::string UserName(std::string_view text) {
    text = Trim(text);
    text = text.substr(0, text.find_first_of(" \t:"));
    return IsText(text) ? std::string(Bounded(text)) : std::string();
}

void SaslExchange::Begin(std::string_view arguments, bool cut, SideFacts& facts) {
    std::string_view mechanism = TakeWord(arguments);
    facts.auth = IsMechanism(mechanism) ? ToUpper(mechanism) : std::string();
    facts.user.clear();
    responses_ = 0;
    open_ = true;
    if ( ! arguments.empty() && ! cut )
        Respond(arguments, facts);
}

bool SaslExchange::Answer(const Line& line, SideFacts& facts) {
    if ( line.text == "*" ) { // RFC 4954 4: the client cancels
        open_ = false;
        return true;
    }
    SecretBuffer decoded;
    if ( responses_ >= ResponsesOf(facts.auth) || ! (line.cut || DecodeBase64(line.text, decoded)) ) {
        open_ = false;
        return false;
    }
    if ( ! line.cut )
        Respond(line.text, facts);
    return true;
}

void SaslExchange::Respond(std::string_view base64, SideFacts& facts) {
    SecretBuffer response;
    if ( base64 != "=" && DecodeBase64(base64, response) ) { // "=" is an empty initial response
        facts.password_sent |= ! response.Empty() && SendsPassword(facts.auth, responses_);
        if ( std::string user = UserIn(facts.auth, response.View(), responses_); ! user.empty() )
            facts.user = user;
    }
    ++responses_;
}

} // namespace mailtap::decoder
