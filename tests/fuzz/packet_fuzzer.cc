// Fuzzes packet layers, TCP sessions and session lines. The input is a capture: a byte of link type and options, then
// packets: how much time went by, how many bytes were cut, two bytes of length, and the bytes.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "engine/engine.h"

namespace {

using mailtap::engine::Engine;
using mailtap::engine::kSecond;
using mailtap::engine::Options;
using mailtap::engine::Time;

constexpr std::array<int, 14> kLinkTypes = {1, 0, 9, 12, 14, 50, 51, 101, 108, 113, 228, 229, 276, 1};

[[noreturn]] void Fail(const char* law) {
    std::fprintf(stderr, "broken law: %s\n", law);
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
    if ( size < 1 )
        return 0;
    Options options;
    options.verify_checksums = (data[0] & 0x80) != 0;
    Engine engine(options);
    engine.SetLinkType(kLinkTypes[(data[0] & 0x7f) % kLinkTypes.size()]);

    std::span<const uint8_t> input(data + 1, size - 1);
    Time stamp = 1'700'000'000 * kSecond;
    uint64_t packets = 0;
    while ( input.size() >= 4 ) {
        stamp += input[0] * (kSecond / 2);
        const std::size_t cut = input[1];
        const std::size_t length = std::min<std::size_t>(input[2] << 8 | input[3], input.size() - 4);
        engine.Packet(stamp, input.subspan(4, length), length + cut);
        input = input.subspan(4 + length);
        ++packets;
    }
    engine.Finish();

    const std::string lines = engine.TakeLines();
    const auto feeds = static_cast<uint64_t>(std::ranges::count(lines, '\n'));
    if ( engine.OpenSessions() != 0 || feeds != engine.Sessions() )
        Fail("every session ends as one line");
    if ( std::ranges::any_of(lines, [](char c) { return c != '\n' && (static_cast<uint8_t>(c) < 0x20 || c == 0x7f); }) )
        Fail("no control character in a line");
    if ( engine.Counts().packets != packets || engine.Sessions() > packets )
        Fail("counts");
    return 0;
}
