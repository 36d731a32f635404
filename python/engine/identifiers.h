// What a session is called, so that it can be found again elsewhere.

#pragma once

#include <string>

#include "tcp_session.h"

namespace mailtap::engine {

// Community ID version 1: the same in every tool for either direction of a flow, with the same seed.
std::string CommunityId(const Endpoint& originator, const Endpoint& responder, uint16_t seed);

// Like Zeek's: "C" and letters and digits, here made from the endpoints and the start.
std::string Uid(const TcpSession& session);

} // namespace mailtap::engine
