// Calls on a variant whose alternatives have different members.

#pragma once

#include <variant>

namespace mailtap::decoder {

// Calls `act` with what the variant holds, if the call compiles for it.
template <typename Protocol, typename Act>
void With(Protocol& protocol, const Act& act) {
    std::visit(
        [&act](auto& parser) {
            if constexpr ( requires { act(parser); } )
                act(parser);
        },
        protocol);
}

} // namespace mailtap::decoder
