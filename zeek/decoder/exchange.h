// Which reply answers which command, where both sides were seen.

#pragma once

#include <cstdint>

#include "side_facts.h"

namespace mailtap::decoder {

enum class Outcome : uint8_t { Unknown, Success, Failure };

// The outcome of the commands, by their replies.
struct Exchange {
    Outcome hello = Outcome::Unknown;    // of the last EHLO, HELO or LHLO
    Outcome starttls = Outcome::Unknown; // of the last request
    Outcome auth = Outcome::Unknown;     // of the last attempt
    uint64_t replies_after_starttls = 0; // behind the reply to the last request, where that is known
    bool data_refused = false;           // a DATA command was
    bool retrieved = false;              // POP3: RETR or TOP was accepted, so that a message follows
    uint64_t messages = 0;               // sent by the client and accepted by the server
    bool sent_behind_acceptance = false; // the server's last reply accepts STARTTLS, and commands follow that request
    bool complete = false;               // every command was paired with its reply, or is waiting for it
};

// SMTP's and POP3's replies come in the order of the commands (RFC 5321 4.3, RFC 1939 3), so they can be paired where
// no bytes are missing. IMAP's carry the command's tag. Pairing ends at the first reply that can't be the command's.
Exchange Pair(const SideFacts& client, const SideFacts& server, bool client_lost);

} // namespace mailtap::decoder
