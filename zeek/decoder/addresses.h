// Mail addresses as the envelope and the header write them.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailtap::decoder {

// The address in the argument of MAIL FROM: or RCPT TO: (RFC 5321 4.1.2), without brackets, source route and
// parameters; `<>` for the null sender. Takes what common clients send too: no brackets, blanks before them. Empty
// when there is none.
std::string EnvelopeAddress(std::string_view argument);

// Adds a From or To field's items (RFC 5322 3.4) to `set`: split at commas outside quotes, comments and
// brackets, encoded words decoded. Of a group its members count, not its name.
void AddHeaderAddresses(std::string_view value, std::vector<std::string>& set);

} // namespace mailtap::decoder
