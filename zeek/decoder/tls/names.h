// Versions and cipher suites by name, as Zeek's ssl.log has them.

#pragma once

#include <cstdint>
#include <string>

namespace mailtap::decoder::tls {

// "TLSv12", drafts of TLS 1.3 "TLSv13-draft23", others "unknown-" and the number.
std::string VersionName(uint16_t version);

// The name in the IANA's registry, with ANON where that has anon; "unknown-" and the number for what isn't in it.
std::string CipherName(uint16_t cipher);

} // namespace mailtap::decoder::tls
