// What a session's packets say in its record, field by field, for both hosts of the decoder.

#pragma once

#include "decoder/facts_fields.h"
#include "two_sides.h"

namespace mailtap::stream {

// A session with more packets and more payload bytes than these is effective.
struct EffectiveThresholds {
    uint64_t packets = 3;
    uint64_t bytes = 5;
};

// Whose packets were seen, by mail role.
inline std::string_view Direction(const TwoSides& session, End client) {
    if ( session.Packets(Other(client)) == 0 )
        return "c2s";
    return session.Packets(client) == 0 ? "s2c" : "bidirectional";
}

inline bool Effective(const TwoSides& session, const EffectiveThresholds& thresholds) {
    return session.Packets(End::First) + session.Packets(End::Second) > thresholds.packets &&
           session.Bytes(End::First) + session.Bytes(End::Second) > thresholds.bytes;
}

// Calls visit(name, value) for each field of the record but those that say which connection it was (time, addresses,
// identifiers, node). Values are as in decoder::VisitFields.
template <typename Visitor>
void VisitFields(const TwoSides& session, const decoder::Facts& facts, const EffectiveThresholds& thresholds,
                 Visitor&& visit) {
    const End client = session.EndOf(facts.client);
    const End server = Other(client);
    visit("direction", Direction(session, client));
    visit("effective", Effective(session, thresholds));
    visit("client_pkts", session.Packets(client));
    visit("client_bytes", session.Bytes(client));
    visit("server_pkts", session.Packets(server));
    visit("server_bytes", session.Bytes(server));
    visit("gap_bytes", session.GapBytes());
    visit("midstream", session.Midstream());
    decoder::VisitFields(facts, visit);
}

} // namespace mailtap::stream
