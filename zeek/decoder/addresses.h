// Mail addresses as the envelope and the header write them.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailtap::decoder {

// The address in the argument of MAIL FROM: or RCPT TO: (RFC 5321 4.1.2), without brackets, source route and
// parameters; `<>` for the null sender. Takes what common clients send too: no brackets, blanks before them. Empty
// when there is none, or when the address may go on in the missing rest of a `cut` line.
std::string EnvelopeAddress(std::string_view argument, bool cut);

// Adds an item of a header's address list to `set`. Where the set has the same item with other quotes, as IMAP's
// ENVELOPE writes it, the new form takes its place.
void AddMailbox(std::vector<std::string>& set, std::string_view item);

// Adds a From or To field's items (RFC 5322 3.4) to `set`: split at commas outside quotes, comments and
// brackets, encoded words decoded. Of a group its members count, not its name.
void AddHeaderAddresses(std::string_view value, std::vector<std::string>& set);

} // namespace mailtap::decoder
