// The times of certificates (RFC 5280 4.1.2.5).

#pragma once

#include <cstdint>
#include <optional>

#include "der.h"

namespace mailtap::decoder::tls {

// A UTCTime or GeneralizedTime in the form that certificates must have, YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, in seconds
// since the epoch.
std::optional<int64_t> ReadTime(const der::Element& element);

} // namespace mailtap::decoder::tls
