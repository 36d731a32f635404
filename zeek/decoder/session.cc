#include "session.h"

#include <algorithm>
#include <optional>

#include "combine.h"

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

Session::Session(const Ports& ports, const Connection& connection) : ports_(ports), connection_(connection) {}

SideDecoder& Session::At(Side side) {
    auto& decoder = sides_[PlaceOf(side)];
    if ( ! decoder )
        decoder = std::make_unique<SideDecoder>(PresumptionOf(ports_, connection_, side));
    return *decoder;
}

void Session::Data(Side side, std::span<const uint8_t> bytes) { At(side).Data(View(bytes)); }

void Session::Gap(Side side, uint64_t length) { At(side).Gap(length); }

bool Session::Done(Side side) const { return sides_[PlaceOf(side)] && sides_[PlaceOf(side)]->Done(); }

bool Session::Done() const { return Done(Side::Orig) && Done(Side::Resp); }

bool Session::Recognised(const SideDecoder& decoder, Side side) const {
    uint16_t tunnel_port = 0;
    for ( const auto& either : sides_ )
        if ( either )
            tunnel_port = std::max(tunnel_port, either->Facts().tunnel_port);
    bool server_is_resp = (side == Side::Orig) == (decoder.Facts().reading.role == Role::Client);
    uint16_t port = tunnel_port ? tunnel_port : server_is_resp ? connection_.resp_port : connection_.orig_port;
    return decoder.Recognised(ports_.ServiceOf(port));
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
    // Most sides end with a line's end: no need of a copy to end.
    std::optional<SideDecoder> ended[2];
    const auto end = [&](Side side) -> const SideDecoder& {
        const auto& decoder = sides_[PlaceOf(side)];
        auto& copy = ended[PlaceOf(side)];
        if ( ! decoder )
            return copy.emplace(PresumptionOf(ports_, connection_, side));
        if ( ! decoder->HasUnfinishedLine() )
            return *decoder;
        copy.emplace(*decoder).End();
        return *copy;
    };
    const SideDecoder& orig = end(Side::Orig);
    const SideDecoder& resp = end(Side::Resp);
    return Combine({.decoder = &orig, .seen = orig_seen, .recognised = Recognised(orig, Side::Orig)},
                   {.decoder = &resp, .seen = resp_seen, .recognised = Recognised(resp, Side::Resp)});
}

std::size_t Session::Memory() const {
    std::size_t bytes = sizeof(*this);
    for ( const auto& decoder : sides_ )
        bytes += decoder ? decoder->Memory() : 0;
    return bytes;
}

} // namespace mailtap::decoder
