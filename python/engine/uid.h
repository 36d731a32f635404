// The session's unique ID.

#pragma once

#include <string>

#include "tcp_session.h"

namespace mailtap::engine {

// Like Zeek's: "C" and letters and digits, here made from the endpoints and the start.
std::string Uid(const TcpSession& session);

} // namespace mailtap::engine
