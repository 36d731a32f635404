#include "session.h"

#include <algorithm>
#include <optional>

#include "combine.h"
#include "tls/limits.h"

namespace mailtap::decoder {

namespace {

bool Contains(const std::vector<uint16_t>& ports, uint16_t port) {
    return std::find(ports.begin(), ports.end(), port) != ports.end();
}

std::string_view View(std::span<const uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

int PlaceOf(Side side) { return side == Side::Orig ? 0 : 1; }

Presumption PresumptionOf(const Ports& ports, const Connection& connection, Side side) {
    bool orig = side == Side::Orig;
    Presumption presumption;
    presumption.midstream = connection.midstream;
    if ( ! connection.midstream )
        presumption.role = orig ? Role::Client : Role::Server;
    presumption.as_client = ports.ServiceOf(orig ? connection.resp_port : connection.orig_port);
    presumption.as_server = ports.ServiceOf(orig ? connection.orig_port : connection.resp_port);
    return presumption;
}

} // namespace

Service Ports::ServiceOf(uint16_t port) const {
    if ( Contains(smtp, port) )
        return Service::Smtp;
    if ( Contains(pop3, port) )
        return Service::Pop3;
    return Contains(imap, port) ? Service::Imap : Service::None;
}

Service Ports::UpgradedServiceOf(uint16_t port) const {
    return Contains(implicit_tls, port) ? Service::None : ServiceOf(port);
}

Session::Session(const Ports& ports, const Connection& connection, TlsListener* listener)
    : ports_(ports), connection_(connection), listener_(listener) {}

SideDecoder& Session::At(Side side) {
    auto& decoder = sides_[PlaceOf(side)];
    if ( ! decoder )
        decoder = std::make_unique<SideDecoder>(PresumptionOf(ports_, connection_, side), listener_, side);
    return *decoder;
}

void Session::Data(Side side, std::span<const uint8_t> bytes) { At(side).Data(View(bytes)); }

void Session::Gap(Side side, uint64_t length) { At(side).Gap(length); }

bool Session::Done(Side side) const { return sides_[PlaceOf(side)] && sides_[PlaceOf(side)]->Done(); }

bool Session::Done() const { return Done(Side::Orig) && Done(Side::Resp); }

uint16_t Session::ServerPort(bool server_is_resp) const {
    uint16_t tunnel_port = 0;
    for ( const auto& either : sides_ )
        if ( either )
            tunnel_port = std::max(tunnel_port, either->Facts().tunnel_port);
    return tunnel_port ? tunnel_port : server_is_resp ? connection_.resp_port : connection_.orig_port;
}

bool Session::Recognised(const SideDecoder& decoder, Side side) const {
    bool server_is_resp = (side == Side::Orig) == (decoder.Facts().reading.role == Role::Client);
    const auto& peer = sides_[1 - PlaceOf(side)];
    return decoder::Recognised(decoder.Facts(), peer ? &peer->Facts() : nullptr, connection_.midstream,
                               ports_.ServiceOf(ServerPort(server_is_resp)));
}

Service Session::Certain() const {
    for ( Side side : {Side::Resp, Side::Orig} ) {
        const auto& decoder = sides_[PlaceOf(side)];
        if ( decoder && decoder->Facts().reading.weight == kStrong && Recognised(*decoder, side) )
            return decoder->Facts().reading.service;
    }
    return Service::None;
}

bool Session::TlsStarted() const {
    return std::any_of(std::begin(sides_), std::end(sides_),
                       [](const auto& decoder) { return decoder && decoder->Facts().tls_upgrade; });
}

Facts Session::Result(bool orig_seen, bool resp_seen) const {
    // Most sides end with a line's end: they needn't be copied to be ended.
    std::optional<SideDecoder> ended[2];
    const auto end = [&](Side side) -> const SideDecoder& {
        const auto& decoder = sides_[PlaceOf(side)];
        auto& copy = ended[PlaceOf(side)];
        if ( ! decoder )
            return copy.emplace(PresumptionOf(ports_, connection_, side));
        if ( ! decoder->HasUnfinished() )
            return *decoder;
        copy.emplace(*decoder).End();
        return *copy;
    };
    const auto seen = [&](Side side, bool packets) {
        const SideDecoder& decoder = end(side);
        SeenSide shown;
        shown.facts = &decoder.Facts();
        shown.seen = packets;
        shown.recognised = Recognised(decoder, side);
        shown.tls = decoder.Tls();
        const auto& original = sides_[PlaceOf(side)];
        shown.earlier_requests = decoder.EarlierRequests();
        if ( original && original->ReadWithBareLineEnds() )
            shown.with_bare_line_ends = &original->ReadWithBareLineEnds()->Facts();
        bool client = decoder.Facts().opening_role == Role::Client;
        shown.upgraded_service = ports_.UpgradedServiceOf(ServerPort((side == Side::Orig) == client));
        return shown;
    };
    return Combine(seen(Side::Orig, orig_seen), seen(Side::Resp, resp_seen));
}

std::size_t Session::Memory() const {
    std::size_t bytes = sizeof(*this);
    for ( const auto& decoder : sides_ )
        bytes += decoder ? decoder->Memory() : 0;
    return bytes;
}

namespace {

// What a side holds at most, by its parts. A string or vector may hold twice what it needs, since it grows by doubling.
constexpr std::size_t Grown(std::size_t bytes) { return 2 * bytes; }

constexpr std::size_t kLineBuffer = Grown(kMaxLine + 2 * kMaxLineEnd);
constexpr std::size_t kAddressSet = kMaxAddressBytes + kMaxAddresses * (sizeof(std::string) + 1);
constexpr std::size_t kStrings = 12 * (kMaxString + 1);

// The facts before TLS, while it is awaited.
constexpr std::size_t Awaited(std::size_t log) { return sizeof(AwaitedTls) + kStrings + log + Grown(kMaxString); }

// The same, of a client that requests TLS again, and what the earlier requests take.
constexpr std::size_t Requests(std::size_t log) {
    return kMaxEarlierRequests * (sizeof(SideFactsMark) + kStrings + log) + Awaited(log);
}

// What a side's TLS needs takes the place of its lines'.
constexpr std::size_t OrTls(std::size_t buffers) { return std::max(buffers, tls::kMaxReaderBytes); }

// An SMTP client: envelope and header addresses, the lines of its header, commands held back. All but TLS twice where a
// dot's line end is in doubt.
constexpr std::size_t kSmtpClientFacts =
    sizeof(SideDecoder) + 4 * kAddressSet + kStrings + Grown(kMaxExchangeLog * sizeof(CommandKind));
constexpr std::size_t kSmtpClientBuffers =
    2 * kLineBuffer + Grown(kMaxHeaderValue) + Grown(kMaxHeldCommands + kMaxLine);
constexpr std::size_t kSmtpClient = Requests(kMaxExchangeLog * sizeof(CommandKind)) + 2 * kSmtpClientFacts +
                                    kSmtpClientBuffers + OrTls(kSmtpClientBuffers);
constexpr std::size_t kSmtpServer = Awaited(kMaxExchangeLog * sizeof(Reply)) + sizeof(SideDecoder) +
                                    OrTls(kLineBuffer) + kStrings + Grown(kMaxExchangeLog * sizeof(Reply));

// IMAP: a client has no addresses, a server those of headers. Both may be compressed, and keep a line with its
// literals.
constexpr std::size_t kCompression = sizeof(Inflater) + Inflater::kMemory;
constexpr std::size_t kImapClient = Requests(kMaxRecentTags * sizeof(uint32_t)) + sizeof(SideDecoder) +
                                    OrTls(2 * kLineBuffer + kCompression) + kStrings;
constexpr std::size_t kImapServer = Awaited(kMaxTaggedReplies * sizeof(Reply)) + sizeof(SideDecoder) +
                                    OrTls(3 * kLineBuffer + Grown(kMaxHeaderValue) + kCompression) + 2 * kAddressSet +
                                    kStrings + Grown(kMaxTaggedReplies * sizeof(Reply));

static_assert(sizeof(Session) + kSmtpClient + kSmtpServer <= kMaxSessionBytes);
static_assert(sizeof(Session) + kImapClient + kImapServer <= kMaxSessionBytes);

} // namespace

} // namespace mailtap::decoder
