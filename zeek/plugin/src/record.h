// The session record as Zeek's MailTap::Session.

#pragma once

#include <zeek/Conn.h>
#include <zeek/Val.h>

#include <string>

#include "stream/two_sides.h"

namespace mailtap::plugin {

// MailTap::Session, with what MailTap's options say of it, and the site's decode_as. `conn_val` is the connection's,
// fresh; `number` is the record's `seq`.
zeek::RecordValPtr MakeRecord(const zeek::Connection& connection, const zeek::RecordValPtr& conn_val,
                              const stream::TwoSides& session, const decoder::Facts& facts, bool orig_is_client,
                              uint64_t number);

// MailTap::Progress.
zeek::RecordValPtr MakeProgress(const stream::TwoSides& session, const decoder::Facts& facts);
zeek::RecordValPtr NoProgress();

// The record's logged fields as a session line (docs/explanation/architecture.md), and `started`, in seconds since the
// epoch; without the line feed. Fields whose type a session line doesn't know are left out.
std::string SessionLine(const zeek::RecordVal& record, double started);

} // namespace mailtap::plugin
