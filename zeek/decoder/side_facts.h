// What one side alone shows, and what the decoder does after a line of it.

#pragma once

#include <algorithm>
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

// What a client sends that a server answers, as far as the kind of answer depends on it (SMTP, POP3).
enum class CommandKind : uint8_t {
    Other,
    Hello,
    StartTls,
    Auth,      // AUTH, a line within its exchange, PASS and APOP
    User,      // POP3's USER: only a failure decides the login
    Retrieve,  // RETR and TOP
    Mail,      // MAIL and RSET: a new transaction
    Recipient, // RCPT
    Data,
    Message, // the end of a message after DATA
    Chunk,   // BDAT
    LastChunk,
    Quit,
};

// An IMAP client's command whose reply matters.
struct CommandTag {
    bool set = false;
    uint32_t tag = 0;        // a hash
    std::size_t earlier = 0; // commands before it with the same tag; some clients have one for all
};

// The facts of one side. Only the fields of its role are ever set, except the first group.
struct SideFacts {
    Reading reading;         // the protocol and role taken, with the strongest line's weight
    uint16_t weight_sum = 0; // of the lines weighed, up to kCertain
    bool strange = false;    // a line that isn't this protocol's
    bool doubtful = false;   // seen from the middle, with weak lines so far: they count where the other side agrees
    bool spoke = false;      // it sent payload
    bool lost = false;       // bytes are missing, before the first or later
    bool gap = false;        // bytes are missing behind the first
    bool found_late = false; // recognised only after lines that were no protocol's
    bool tls_opening = false;
    bool http = false;
    Role opening_role = Role::Unknown; // of a TLS, HTTP or SOCKS opening
    Tunnel tunnel = Tunnel::None;
    uint16_t tunnel_port = 0;     // the target's, when this side names it
    bool starttls_masked = false; // an offer of TLS, or a request for it, was overwritten
    bool tls_upgrade = false;     // a TLS record after the protocol's lines
    Stage stage = Stage::Connect;
    bool logout = false;
    uint64_t messages = 0;
    std::string tunnel_user_agent;

    // Headers: from the client in SMTP, from the server in POP3 and IMAP. The addresses are of all messages, the other
    // fields of the last one.
    std::vector<std::string> from;
    std::vector<std::string> to;
    std::string subject;
    std::string msg_id;
    std::string user_agent;

    // Client.
    uint64_t commands = 0;
    std::vector<CommandKind> command_log; // the first kMaxExchangeLog (SMTP, POP3)
    bool lmtp = false;
    bool starttls_requested = false;
    bool plain_after_request = false;      // a command in the clear after it
    bool plain_after_last_request = false; // after the last one
    bool command_injected = false;         // text between the last request and the hello
    bool password_sent = false;            // in a form that whoever reads along can use
    bool smuggled = false;                 // commands behind a dot that ends no message by the standard
    bool chunk_command = false;
    uint64_t data_commands = 0;
    CommandTag starttls_tag;
    CommandTag auth_tag;
    std::vector<uint32_t> recent_tags; // hashes of the last kMaxRecentTags
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
    bool worded = false;            // POP3: a reply that Redis hasn't: +OK with text, a listing, -ERR with a code
    bool bare_goodbye = false;      // POP3: the last reply may be QUIT's, but its words don't say so
    uint64_t further_replies = 0;   // POP3, IMAP: to more than capabilities and logout
    bool capability_answer = false; // IMAP: the next tagged reply ends CAPABILITY or ID
    bool starttls_offered = false;
    bool starttls_accepted = false;
    bool starttls_refused = false;
    bool accepted_again = false;           // the last acceptance follows another, without an error between them
    bool plain_after_accept = false;       // a success in the clear after the last acceptance
    bool failed_after_accept = false;      // an error in the clear after the last acceptance
    bool tls_failure_after_accept = false; // an error that names TLS
    bool response_injected = false;        // text between the last acceptance and the hello
    uint64_t replies_at_loss = 0;          // when bytes were last missing: a challenge may be among them
    bool challenged = false;        // the login goes on with a challenge that isn't a prompt for user or password
    bool password_accepted = false; // a login without such a challenge succeeded
    bool preauth = false;           // IMAP: logged in by the greeting
    bool referral = false;          // IMAP: another server named before the login
    bool alert_text = false;        // IMAP: a text for the user before the login
    bool greeting_seen = false;     // by its words, where the handshake wasn't seen: nothing came before it
    bool greeting_refused = false;
    uint64_t data_accepted = 0;
    uint64_t messages_refused = 0; // at their end
    bool message_begun = false;    // POP3, IMAP: a message or its header was delivered, or its first bytes
    AuthResult auth_result = AuthResult::Unknown;
    std::string last_reply;     // without IMAP's tag
    std::string last_reply_tag; // may be what the client sent as a password: shown only where a command had it
    uint32_t last_reply_hash = 0;
    bool last_reply_failed = false;
    bool last_reply_bad = false; // IMAP's BAD, or an error that may be one
    std::string banner;
    std::vector<Reply> reply_log; // the first kMaxExchangeLog (SMTP, POP3), kMaxTaggedReplies (IMAP)

    void Reach(Stage reached) {
        if ( reached > stage )
            stage = reached;
    }

    // A line is evidence of the side's protocol.
    void AddWeight(Weight weight) {
        reading.weight = std::max(reading.weight, weight);
        weight_sum = static_cast<uint16_t>(std::min<int>(kCertain, weight_sum + weight));
    }

    // A new message's header begins: its fields take the place of the last message's.
    void BeginHeader() {
        subject.clear();
        msg_id.clear();
        user_agent.clear();
    }

    void RequestTls() {
        starttls_requested = true;
        plain_after_last_request = false;
    }

    void AcceptTls() {
        accepted_again = starttls_accepted && ! failed_after_accept;
        starttls_accepted = true;
        plain_after_accept = failed_after_accept = tls_failure_after_accept = false;
    }

    // A reply came. `text` is its text.
    void NoteAfterAccept(bool failure, std::string_view text);

    // A login succeeded.
    void SucceedLogin() {
        password_accepted |= auth_result != AuthResult::Success && ! challenged && replies > replies_at_loss + 1;
        auth_result = AuthResult::Success;
    }

    // A command that has a name, and one that a reply answers. A command is usually both.
    void CountCommand(std::string_view verb);
    void LogCommand(CommandKind kind);
    CommandTag LogTag(uint32_t tag);
    void LogReply(uint16_t code);
    void LogTaggedReply(Reply reply);

    // Heap bytes held.
    std::size_t Memory() const;
};

// A side's facts up to a point in its bytes, to go back to. Its sets only grow: of them the sizes are enough.
class SideFactsMark {
public:
    explicit SideFactsMark(const SideFacts& facts);
    void Restore(SideFacts& facts) const;
    std::size_t Memory() const { return facts_.Memory(); }

private:
    SideFacts facts_; // without the sets
    std::size_t from_, to_, mailfrom_, rcptto_;
};

// What follows a line.
struct Next {
    enum Kind : uint8_t {
        Line,     // another line
        Message,  // a dot-terminated message, its header first (SMTP DATA, POP3 RETR)
        Chunk,    // `length` bytes that are a message's, or a part of it (BDAT, IMAP literal)
        Skip,     // `length` bytes of no interest
        Capture,  // `length` bytes for the protocol to see (an IMAP string)
        Compress, // deflated bytes, unless the server refused COMPRESS
        Inner,    // a tunnel is open: whatever follows is a fresh side
        Other,    // no mail
    };

    Kind kind = Line;
    uint64_t length = 0;
    bool certain = false;         // of Skip and Capture: a client's bytes come in any case
    bool last = false;            // of Chunk: the message ends with it
    bool replay = false;          // of Message: the line itself is its first
    bool new_transaction = false; // a message sent in chunks so far, if any, is given up
    bool upgrade = false;         // of Line: TLS follows, unless it is refused
    bool part_of_header = false;  // of Chunk: header fields without the subject and the Message-ID
};

} // namespace mailtap::decoder
