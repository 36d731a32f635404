// What the decoder says of a session: plain values, no behaviour.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtap::decoder {

// A TCP direction. Which of the two is the mail client is for the content to say.
enum class Side : uint8_t { Orig, Resp };

constexpr Side Other(Side side) { return side == Side::Orig ? Side::Resp : Side::Orig; }

enum class Service : uint8_t { None, Smtp, Pop3, Imap };

enum class Role : uint8_t { Unknown, Client, Server };

// The furthest step towards TLS by an upgrade (RFC 3207, 2595, 9051 6.2.1). In order of strength.
enum class StartTls : uint8_t { None, Offered, Requested, Refused, Accepted, Tls };

enum class Tunnel : uint8_t { None, Http, Socks };

enum class AuthResult : uint8_t { Unknown, Success, Failure };

// The furthest stage of a session. In order.
enum class Stage : uint8_t { Connect, Greeting, Hello, Auth, Envelope, Data, Delivered, Retrieved, Logout };

// Why a mail session has no address fields; see docs/reference/session.md. None: it has some, or is no mail.
enum class EmptyCause : uint8_t {
    None,
    StartTls,
    ServerSideOnly,
    ClientSideOnly,
    Refused,
    GreetingOnly,
    HelloOnly,
    LoginOnly,
    Aborted,
    NoMessage,
};

// The record's names for the values above. An empty view where the record leaves the field unset.
std::string_view Name(Service service);
std::string_view Name(StartTls step);
std::string_view Name(Tunnel tunnel);
std::string_view Name(AuthResult result);
std::string_view Name(Stage stage);
std::string_view Name(EmptyCause cause);

// What TLS shows in the clear, after an upgrade or from the first byte, as far as the visible sides tell.
struct TlsFields {
    std::string version;      // of both the one chosen, of a client alone the highest that it offers
    std::string cipher;       // the server's choice
    std::string sni;          // the server's name, as the client asks for it
    std::string alpn;         // the server's choice where it is in the clear, else what the client offers, with commas
    std::string ja4;          // the client's fingerprint
    std::string cert_subject; // the server's certificate, up to TLS 1.2
    std::string cert_issuer;
    std::vector<std::string> cert_names;
    std::optional<int64_t> cert_not_before; // seconds since the epoch
    std::optional<int64_t> cert_not_after;
    std::optional<bool> cert_self_signed;
};

// The facts of a session as far as it was fed. Field names are the session record's. Strings hold the wire's
// bytes, which need not be UTF-8; none of them is ever a password, a token or another secret.
struct Facts {
    Service service = Service::None;
    Side client = Side::Orig;      // the side in the client's role
    bool roles_by_content = false; // else the hosts' own rule (handshake, port) decides them
    StartTls starttls = StartTls::None;
    bool implicit_tls = false;
    bool http = false; // HTTP from the first byte, a tunnel's opening too
    Tunnel tunnel = Tunnel::None;

    std::string helo;
    std::vector<std::string> mailfrom;
    std::vector<std::string> rcptto;
    std::vector<std::string> from;
    std::vector<std::string> to;
    std::string subject;
    std::string msg_id;
    std::string user_agent;
    uint64_t mailfrom_count = 0;
    uint64_t rcptto_count = 0;

    std::string auth;
    AuthResult auth_result = AuthResult::Unknown;
    std::string user;

    uint64_t messages = 0;
    uint64_t commands = 0;
    uint64_t replies = 0;
    std::string last_command;
    std::string last_reply;
    std::string banner;
    Stage stage = Stage::Connect;
    std::vector<std::string> findings; // names of what is wrong with the session's encryption
    TlsFields tls;
    EmptyCause empty_cause = EmptyCause::None;
};

// The record's decode_as: "HTTP", "SSL", "MAIL" or "BASE".
std::string_view DecodeAs(const Facts& facts);

} // namespace mailtap::decoder
