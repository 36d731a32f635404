// FETCH's ENVELOPE (RFC 9051 7.5.2): a message's header as a parenthesised list.

#pragma once

#include <string_view>

#include "side_facts.h"

namespace mailtap::decoder::imap {

// Takes the addresses, subject and Message-ID from the ENVELOPE in a FETCH response, as far as it goes.
void ReadEnvelope(std::string_view response, SideFacts& facts);

} // namespace mailtap::decoder::imap
