// What is wrong with a session's encryption, from what both sides show.

#pragma once

#include <string>
#include <vector>

#include "exchange.h"
#include "side_facts.h"
#include "tls/facts.h"

namespace mailtap::decoder {

// The sides in their mail roles. A side that wasn't seen, or that speaks another protocol, shows nothing.
struct Evidence {
    const SideFacts& client;
    const SideFacts& server;
    const Exchange& exchange;
    const tls::Facts& client_tls;
    const tls::Facts& server_tls;
    bool client_lost; // bytes of the client are missing
    bool smuggled;    // whether the server took what was smuggled or not
};

// The findings' names, in the order of docs/guides/findings.md.
std::vector<std::string> FindingsOf(const Evidence& evidence);

// Accepted, and still in the clear behind it.
bool IsPlainAfterAccept(const Evidence& evidence);

} // namespace mailtap::decoder
