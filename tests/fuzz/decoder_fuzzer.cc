// Fuzzes the decoder. The input is a schedule: two bytes of ports and whether the handshake was seen, then operations
// of a byte each, with their data: whose turn it is, whether bytes or a gap come, and how many.
//
// Laws that must hold for any input: memory stays within its bound; the facts don't depend on how the bytes are split
// or on how the sides interleave, nor on feeding on after the decoder said that it was done.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "decoder/session.h"

namespace {

using mailtap::decoder::Connection;
using mailtap::decoder::Facts;
using mailtap::decoder::kMaxSessionBytes;
using mailtap::decoder::Ports;
using mailtap::decoder::Session;
using mailtap::decoder::Side;

using Bytes = std::span<const uint8_t>;

constexpr std::array<uint16_t, 8> kPorts = {25, 110, 143, 587, 993, 1080, 8025, 40001};

struct Operation {
    Side side = Side::Orig;
    bool gap = false;
    Bytes bytes; // of a gap only their number counts
};

[[noreturn]] void Fail(const char* law) {
    std::fprintf(stderr, "broken law: %s\n", law);
    std::abort();
}

std::vector<Operation> ReadSchedule(Bytes input) {
    std::vector<Operation> schedule;
    while ( ! input.empty() ) {
        const uint8_t code = input[0];
        input = input.subspan(1);
        const std::size_t length = std::min<std::size_t>(code >> 2, input.size());
        schedule.push_back({code & 1 ? Side::Resp : Side::Orig, (code & 2) != 0, input.first(length)});
        input = input.subspan(length);
    }
    return schedule;
}

void Feed(Session& session, const Operation& operation, std::size_t step) {
    if ( operation.gap )
        session.Gap(operation.side, operation.bytes.size());
    else
        for ( Bytes rest = operation.bytes; ! rest.empty(); rest = rest.subspan(std::min(step, rest.size())) )
            session.Data(operation.side, rest.first(std::min(step, rest.size())));
    if ( session.Memory() > kMaxSessionBytes )
        Fail("memory bound");
}

std::string Text(const Facts& facts) {
    std::string text;
    auto add = [&text](std::string_view value) { text.append(value).append(1, '\n'); };
    for ( const auto name : {Name(facts.service), Name(facts.starttls), Name(facts.tunnel), Name(facts.auth_result),
                             Name(facts.stage), Name(facts.empty_cause), DecodeAs(facts)} )
        add(name);
    for ( const auto* value : {&facts.helo, &facts.subject, &facts.msg_id, &facts.user_agent, &facts.auth, &facts.user,
                               &facts.last_command, &facts.last_reply, &facts.banner} )
        add(*value);
    for ( const auto* set : {&facts.mailfrom, &facts.rcptto, &facts.from, &facts.to} ) {
        add("set");
        for ( const auto& value : *set )
            add(value);
    }
    for ( const uint64_t count : {facts.mailfrom_count, facts.rcptto_count, facts.messages, facts.commands,
                                  facts.replies, uint64_t{facts.client == Side::Orig}, uint64_t{facts.roles_by_content},
                                  uint64_t{facts.implicit_tls}, uint64_t{facts.http}} )
        add(std::to_string(count));
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
    if ( size < 2 )
        return 0;
    static const Ports ports;
    const Connection connection{kPorts[data[0] % kPorts.size()], kPorts[data[1] % kPorts.size()],
                                (data[0] & 0x80) != 0};
    const std::vector<Operation> schedule = ReadSchedule(Bytes(data, size).subspan(2));

    Session as_scheduled(ports, connection);
    for ( const Operation& operation : schedule )
        if ( ! as_scheduled.Done() )
            Feed(as_scheduled, operation, SIZE_MAX);

    Session side_by_side(ports, connection);
    for ( const Side side : {Side::Resp, Side::Orig} )
        for ( const Operation& operation : schedule )
            if ( operation.side == side )
                Feed(side_by_side, operation, 1);

    if ( Text(as_scheduled.Result(true, true)) != Text(side_by_side.Result(true, true)) ) {
        std::fprintf(stderr, "as scheduled:\n%s\nside by side:\n%s\n", Text(as_scheduled.Result(true, true)).c_str(),
                     Text(side_by_side.Result(true, true)).c_str());
        Fail("split and interleaving");
    }
    return 0;
}
