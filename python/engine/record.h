// A session as its line: the session record in JSON (docs/reference/session.md).

#pragma once

#include <string>

#include "options.h"
#include "tcp_session.h"

namespace mailtap::engine {

// Appends the line with its line feed. `number` is the record's `seq`.
void AppendRecord(std::string& lines, const TcpSession& session, const Options& options, uint64_t number);

} // namespace mailtap::engine
