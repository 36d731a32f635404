#include <algorithm>
#include <cmath>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "engine/engine.h"

namespace nb = nanobind;

namespace mailtap::binding {

namespace {

using engine::Engine;

// A capture may hold any number for a time; beyond this one microseconds don't fit in a double's 53 bits.
constexpr double kLatest = 9e9;

void SetLinkType(Engine& engine, int link_type) {
    if ( ! engine.SetLinkType(link_type) )
        throw nb::value_error("unknown link type");
}

void Packet(Engine& engine, double seconds, const nb::bytes& data, std::size_t wire_length) {
    const double believable = seconds >= 0 ? std::min(seconds, kLatest) : 0;
    const auto stamp = static_cast<engine::Time>(std::llround(believable * static_cast<double>(engine::kSecond)));
    engine.Packet(stamp, Octets(data), wire_length);
}

void Finish(Engine& engine) {
    nb::gil_scoped_release release;
    engine.Finish();
}

nb::bytes Take(Engine& engine) {
    const std::string lines = engine.TakeLines();
    return nb::bytes(lines.data(), lines.size());
}

nb::dict Statistics(const Engine& engine) {
    const engine::PacketCounts& counts = engine.Counts();
    nb::dict dict;
    dict["packets"] = counts.packets;
    dict["not_ip"] = counts.not_ip;
    dict["not_tcp"] = counts.not_tcp;
    dict["malformed"] = counts.malformed;
    dict["fragments"] = counts.fragments;
    dict["bad_checksum"] = counts.bad_checksum;
    dict["sessions"] = engine.Sessions();
    dict["open_sessions"] = engine.OpenSessions();
    dict["peak_decoder_memory"] = engine.PeakDecoderMemory();
    return dict;
}

} // namespace

void BindEngine(nb::module_& module) {
    nb::class_<Engine>(module, "Engine", "Captured packets in, session lines out.")
        .def(
            "__init__",
            [](Engine* engine, uint64_t effective_packets, uint64_t effective_bytes, uint16_t community_id_seed,
               bool verify_checksums, std::string node, std::optional<std::vector<uint16_t>> smtp_ports,
               std::optional<std::vector<uint16_t>> pop3_ports, std::optional<std::vector<uint16_t>> imap_ports) {
                decoder::Ports ports;
                ports.smtp = smtp_ports.value_or(ports.smtp);
                ports.pop3 = pop3_ports.value_or(ports.pop3);
                ports.imap = imap_ports.value_or(ports.imap);
                new (engine) Engine({{effective_packets, effective_bytes},
                                     community_id_seed,
                                     verify_checksums,
                                     std::move(node),
                                     std::move(ports)});
            },
            nb::kw_only(), nb::arg("effective_packets") = engine::Options{}.effective.packets,
            nb::arg("effective_bytes") = engine::Options{}.effective.bytes, nb::arg("community_id_seed") = 0,
            nb::arg("verify_checksums") = false, nb::arg("node") = engine::Options{}.node,
            nb::arg("smtp_ports") = nb::none(), nb::arg("pop3_ports") = nb::none(), nb::arg("imap_ports") = nb::none())
        .def("set_link_type", &SetLinkType, nb::arg("link_type"),
             "Say what kind of packets come next. ValueError when the link type isn't known.")
        .def("packet", &Packet, nb::arg("seconds"), nb::arg("data"), nb::arg("wire_length"),
             "Take one packet: its time since the epoch, its captured bytes, and its length on the wire.")
        .def("finish", &Finish, "End all sessions.")
        .def("take", &Take, "The lines of the sessions that have ended since the last call.")
        .def("statistics", &Statistics, "Counts so far, by name.");
}

} // namespace mailtap::binding
