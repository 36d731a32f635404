#include "engine.h"

#include <utility>

#include "link.h"
#include "record.h"

namespace mailtap::engine {

Engine::Engine(Options options)
    : options_(std::move(options)), parser_(options_.verify_checksums),
      table_(options_.ports, [this](TcpSession& session) { WriteLine(session); }) {}

bool Engine::SetLinkType(int link_type) {
    const auto layer = FirstLayer(link_type);
    first_layer_ = layer.value_or(first_layer_);
    return layer.has_value();
}

void Engine::Packet(Time stamp, std::span<const uint8_t> bytes, std::size_t wire_length) {
    table_.Advance(stamp);
    if ( const auto segment = parser_.Parse(first_layer_, {bytes, std::max(bytes.size(), wire_length)}, stamp) )
        table_.Add(*segment, stamp);
}

std::string Engine::TakeLines() { return std::exchange(lines_, {}); }

void Engine::WriteLine(const TcpSession& session) {
    peak_decoder_memory_ = std::max(peak_decoder_memory_, session.Sides().DecoderMemory());
    AppendRecord(lines_, session, options_, ++sessions_);
}

} // namespace mailtap::engine
