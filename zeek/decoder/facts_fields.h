// The decoder's part of the session record, field by field, for whatever writes records.

#pragma once

#include "facts.h"

namespace mailtap::decoder {

// Calls visit(name, value) for each field, unset ones too. A value is one of
//   std::string_view                  one of the decoder's own names, a literal; empty: unset
//   const std::string&                bytes of the wire; empty: unset
//   const std::vector<std::string>&   the same, each once, in the order in which they came; empty: unset
//   uint64_t, bool
//   const std::optional<int64_t>&     seconds since the epoch
//   const std::optional<bool>&
// A new field needs: a member of Facts, a line here, its line in zeek/plugin/scripts/types.zeek, and its line in the
// Python client's table of fields.
template <typename Visitor>
void VisitFields(const Facts& facts, Visitor&& visit) {
    visit("service", Name(facts.service));
    visit("starttls", Name(facts.starttls));
    visit("implicit_tls", facts.implicit_tls);
    visit("tunnel", Name(facts.tunnel));
    visit("decode_as", DecodeAs(facts));
    visit("helo", facts.helo);
    visit("mailfrom", facts.mailfrom);
    visit("rcptto", facts.rcptto);
    visit("from", facts.from);
    visit("to", facts.to);
    visit("subject", facts.subject);
    visit("msg_id", facts.msg_id);
    visit("user_agent", facts.user_agent);
    visit("mailfrom_count", facts.mailfrom_count);
    visit("rcptto_count", facts.rcptto_count);
    visit("auth", facts.auth);
    visit("auth_result", Name(facts.auth_result));
    visit("user", facts.user);
    visit("messages", facts.messages);
    visit("commands", facts.commands);
    visit("replies", facts.replies);
    visit("last_command", facts.last_command);
    visit("last_reply", facts.last_reply);
    visit("banner", facts.banner);
    visit("stage", Name(facts.stage));
    visit("findings", facts.findings);
    visit("tls_version", facts.tls.version);
    visit("tls_cipher", facts.tls.cipher);
    visit("sni", facts.tls.sni);
    visit("alpn", facts.tls.alpn);
    visit("ja4", facts.tls.ja4);
    visit("cert_subject", facts.tls.cert_subject);
    visit("cert_issuer", facts.tls.cert_issuer);
    visit("cert_names", facts.tls.cert_names);
    visit("cert_not_before", facts.tls.cert_not_before);
    visit("cert_not_after", facts.tls.cert_not_after);
    visit("cert_self_signed", facts.tls.cert_self_signed);
    visit("empty_cause", Name(facts.empty_cause));
}

} // namespace mailtap::decoder
