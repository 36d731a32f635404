// What one side alone shows, and what a line of it makes the decoder do next.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "facts.h"

namespace mailtap::decoder {

// How much a line speaks for a protocol and a role. It may stand in other protocols too (Weak), it seldom does
// (Medium), it stands in no other that is known (Strong).
enum Weight : uint8_t { kNone = 0, kWeak = 1, kMedium = 2, kStrong = 3 };

// Lines of this weight together, a strong one among them, leave no doubt.
constexpr uint16_t kCertain = 2 * kStrong;

// A line read as one protocol's.
struct Reading {
    Service service = Service::None;
    Role role = Role::Unknown;
    Weight weight = kNone;
};

// A server's reply: SMTP's code; POP3's and IMAP's status as ReplyStatus. `tag` is a hash, of IMAP's tag only.
struct Reply {
    uint32_t tag = 0;
    uint16_t code = 0;
};

enum ReplyStatus : uint16_t { kOk = 1, kNo = 2, kContinue = 3 };

// A client's command whose reply matters: its running number (SMTP, POP3) or tag (IMAP).
struct CommandMark {
    bool set = false;
    uint32_t number = 0; // of the reply: the greeting is 0
    uint32_t tag = 0;
};

// The facts of one side. Only the fields of its role are ever set, except the first group.
struct SideFacts {
    Reading reading;         // the protocol and role taken, with the strongest line's weight
    uint16_t weight_sum = 0; // of the lines weighed, up to kCertain
    bool strange = false;    // a line that isn't this protocol's
    bool lost = false;       // bytes are missing, before the first or later
    bool found_late = false; // recognised only after lines that were no protocol's
    bool tls_opening = false;
    bool http = false;
    Role opening_role = Role::Unknown; // of a TLS, HTTP or SOCKS opening
    Tunnel tunnel = Tunnel::None;
    uint16_t tunnel_port = 0; // the target's, when this side names it
    bool tls_upgrade = false; // a TLS record after the protocol's lines
    Stage stage = Stage::Connect;
    bool logout = false;
    uint64_t messages = 0;
    std::string user_agent;

    // Headers: from the client in SMTP, from the server in POP3 and IMAP.
    std::vector<std::string> from;
    std::vector<std::string> to;
    std::string subject;
    std::string msg_id;

    // Client.
    uint64_t commands = 0;
    uint32_t lines_answered = 0; // lines that a reply answers: commands and SASL answers
    bool starttls_requested = false;
    bool plain_after_request = false; // a command in the clear after it
    bool chunk_command = false;
    CommandMark data_mark; // of the first DATA
    CommandMark starttls_mark;
    CommandMark auth_mark;
    CommandMark hello_mark;
    std::string helo;
    std::vector<std::string> mailfrom;
    std::vector<std::string> rcptto;
    uint64_t mailfrom_count = 0;
    uint64_t rcptto_count = 0;
    std::string auth;
    std::string user;
    std::string last_command;

    // Server.
    uint64_t replies = 0;
    bool worded = false;            // POP3: a reply with text. Redis has bare +OK only
    uint64_t further_replies = 0;   // POP3, IMAP: to more than capabilities and logout
    bool capability_answer = false; // IMAP: the tagged reply to come ends CAPABILITY or ID
    bool starttls_offered = false;
    bool starttls_accepted = false;
    bool starttls_refused = false;
    bool greeting_refused = false;
    bool data_accepted = false;
    AuthResult auth_result = AuthResult::Unknown;
    std::string last_reply;
    std::string banner;
    std::vector<Reply> reply_log; // the first kMaxReplyLog

    void Reach(Stage reached) {
        if ( reached > stage )
            stage = reached;
    }

    void CountCommand(std::string_view verb);
    void LogReply(Reply reply);
};

// What follows a line.
struct Next {
    enum Kind : uint8_t {
        Line,    // another line
        Message, // a dot-terminated message, its header first (SMTP DATA, POP3 RETR)
        List,    // a dot-terminated list of lines (POP3)
        Chunk,   // `length` bytes that are a message's, or a part of it (BDAT, IMAP literal)
        Skip,    // `length` bytes of no interest
        Capture, // `length` bytes for the protocol to see (an IMAP string)
        Opaque,  // nothing more that can be read (COMPRESS)
        Inner,   // a tunnel is open: whatever follows is a fresh side
        Other,   // no mail
    };

    Kind kind = Line;
    uint64_t length = 0;
    bool certain = false; // of Skip: the bytes come in any case
    bool last = false;    // of Chunk: the message ends with it
    bool replay = false;  // of Message, List: the line itself is its first
};

} // namespace mailtap::decoder
