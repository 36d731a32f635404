// What the TLS records of one side show without keys: plain values.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decoder/facts.h"

namespace mailtap::decoder::tls {

// Of a certificate (RFC 5280). Texts are printable ASCII. Nothing is verified: whoever sends a certificate can write
// anything into it, and only its key, which isn't looked at, ties it to the server.
struct Certificate {
    // Distinguished names in the form of RFC 2253, as in Zeek's x509.log: the most specific part first, other
    // characters than ASCII escaped. Parts beyond kMaxNameText are left out.
    std::string subject;
    std::string issuer;

    // The dNSName and iPAddress entries of subjectAltName. Without any, the subject's last common name, if it has the
    // characters of a host name (RFC 6125 6.4.4).
    std::vector<std::string> names;

    // Seconds since the epoch; unset when the certificate's time can't be read.
    std::optional<int64_t> not_before;
    std::optional<int64_t> not_after;

    // Issuer and subject are the same octets. The certificate says of itself that no other authority issued it; the
    // signature, which would prove it, isn't checked.
    bool self_signed = false;
};

enum class Alert : uint8_t {
    None,
    Clear,     // with a level and a description
    Encrypted, // alone after the handshake's messages: before any application data
};

// How a side's records ended before its bytes did.
enum class Ending : uint8_t {
    None,
    Text,  // text where a record has to begin
    Other, // other bytes there, or a record that no TLS has
    Lost,  // missing bytes, so that the next record's beginning isn't known
};

struct Facts {
    // Whose hello it was: a ClientHello is a client's, a ServerHello a server's.
    Role sender = Role::Unknown;

    // Of the ServerHello the version chosen; of the ClientHello the highest offered.
    std::optional<uint16_t> version;

    // The cipher suite that the ServerHello, or HelloRetryRequest, chose.
    std::optional<uint16_t> cipher;

    // The server's first hello was a HelloRetryRequest (RFC 8446 4.1.4).
    bool hello_retry = false;

    // Of the ClientHello: the host name asked for (RFC 6066 3).
    std::string sni;

    // Of the ClientHello the application protocols offered, of the ServerHello the one chosen (RFC 7301). TLS 1.3
    // encrypts the server's choice.
    std::vector<std::string> alpn;

    // The client's fingerprint; empty until its hello was read to its end.
    std::string ja4;

    // The server's own, up to TLS 1.2.
    std::optional<Certificate> certificate;

    // In the clear: the first fatal alert, else the last one (RFC 8446 6).
    Alert alert = Alert::None;
    uint8_t alert_level = 0;
    uint8_t alert_description = 0;

    bool change_cipher_spec = false;

    // Up to TLS 1.2, the side's end of the handshake: Finished, encrypted.
    bool finished = false;

    // An encrypted record that holds more than an alert, except the end of the handshake up to TLS 1.2. In TLS 1.3 a
    // client's Finished counts, as does all of a server's after its hello.
    bool application_data = false;

    Ending ending = Ending::None;
};

} // namespace mailtap::decoder::tls
