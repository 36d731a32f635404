#include "imap.h"

#include <algorithm>
#include <utility>

#include "imap_envelope.h"
#include "masked_offer.h"
#include "phrases.h"
#include "text.h"

namespace mailtap::decoder::imap {

namespace {

constexpr std::size_t kMaxTag = 32;

// RFC 9051 9: a tag is any ASTRING-CHAR except "+".
bool IsTag(std::string_view word) {
    return ! word.empty() && word.size() <= kMaxTag && std::all_of(word.begin(), word.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("(){%*\"\\+").find(c) == std::string_view::npos;
    });
}

// FNV-1a. Tags are compared without case, as some servers do.
uint32_t HashTag(std::string_view tag) {
    uint32_t hash = 2166136261u;
    for ( char c : tag )
        hash = (hash ^ static_cast<unsigned char>(Lower(c))) * 16777619u;
    return hash;
}

// A literal's announcement at a line's end: `{n}`, `{n+}`, `{n-}` or `~{n}`.
struct Literal {
    uint64_t length = 0;
    bool certain = false;    // RFC 7888: the client doesn't ask first
    std::size_t written = 0; // length of the announcement itself
};

bool ReadLiteral(const Line& line, Literal& literal) {
    std::string_view end = line.end;
    std::size_t open = end.rfind('{');
    if ( line.cut || ! end.ends_with('}') || open == std::string_view::npos )
        return false;
    std::string_view number = end.substr(open + 1, end.size() - open - 2);
    literal.certain = number.ends_with('+') || number.ends_with('-');
    if ( literal.certain )
        number.remove_suffix(1);
    literal.written = end.size() - open + (open > 0 && end[open - 1] == '~');
    return ParseNumber(number, literal.length);
}

// An atom or quoted string at the start of `rest`. False when a quoted one isn't closed.
bool TakeString(std::string_view& rest, std::string& value) {
    rest = Trim(rest);
    value.clear();
    if ( ! rest.starts_with('"') ) {
        value = TakeWord(rest);
        return true;
    }
    std::size_t i = 1;
    for ( ; i < rest.size() && rest[i] != '"'; ++i ) {
        if ( rest[i] == '\\' && i + 1 < rest.size() )
            ++i;
        value.push_back(rest[i]);
    }
    bool closed = i < rest.size();
    rest.remove_prefix(std::min(i + 1, rest.size()));
    return closed;
}

// Adds to a line with literals, which is bounded as one line is.
void Extend(SecretBuffer& text, std::string_view more) {
    text.Append(more.substr(0, kMaxLine - std::min(kMaxLine, text.Size())));
}

// Adds what stands before a literal's announcement. Of a line beyond kMaxLine that is its beginning and its end.
void ExtendBefore(SecretBuffer& text, const Literal& literal, const Line& line) {
    std::string_view end = line.end.substr(0, line.end.size() - literal.written);
    if ( line.text.ends_with(line.end) )
        Extend(text, line.text.substr(0, line.text.size() - literal.written));
    else {
        Extend(text, line.text.substr(0, kMaxLine - kMaxLineEnd - 1));
        Extend(text, " ");
        Extend(text, end);
    }
}

void ExtendQuoted(SecretBuffer& text, std::string_view value) {
    SecretBuffer quoted("\"");
    for ( char c : value ) {
        if ( c == '"' || c == '\\' )
            quoted.Append('\\');
        quoted.Append(c);
    }
    quoted.Append('"');
    Extend(text, quoted.View());
}

// What is behind a response code: "[CAPABILITY ...] Logged in" says "Logged in".
std::string_view BehindCode(std::string_view text) {
    std::size_t close = text.starts_with('[') ? text.find(']') : std::string_view::npos;
    return close == std::string_view::npos ? text : Trim(text.substr(close + 1));
}

// "+ Ready for literal", "+ idling": no challenge, which is Base64 and longer.
bool IsContinuation(std::string_view text) {
    constexpr std::size_t shortest_challenge = 16;
    SecretBuffer decoded;
    return text.size() < shortest_challenge || ! DecodeBase64(text, decoded);
}

// Whether a list of capabilities has STARTTLS overwritten.
bool HasMaskedOffer(std::string_view capabilities) {
    while ( ! capabilities.empty() ) {
        std::string_view word = TakeWord(capabilities);
        word = word.substr(0, word.find(']'));
        if ( IsMaskedOffer(word, "STARTTLS") )
            return true;
    }
    return false;
}

// Of a status response before the login: what it wants of the user or the client (RFC 2221, RFC 9051 7.1).
void NoteCode(std::string_view text, SideFacts& facts) {
    if ( facts.auth_result == AuthResult::Success )
        return;
    facts.referral |= StartsWithNoCase(text, "[REFERRAL ");
    facts.alert_text |= StartsWithNoCase(text, "[ALERT]");
}

bool IsStatusWord(std::string_view word) {
    return EqualsNoCase(word, "OK") || EqualsNoCase(word, "NO") || EqualsNoCase(word, "BAD");
}

// Whether the literal behind `text`, in a FETCH response, is a message or its header: RFC822, RFC822.HEADER, BODY[],
// BODY[HEADER...], from the first byte on (RFC 9051 7.5.2).
bool IsMessageSection(std::string_view text) {
    text = Trim(text);
    if ( text.ends_with('>') ) { // <origin octet>
        std::size_t open = text.rfind('<');
        if ( open == std::string_view::npos || text.substr(open) != "<0>" )
            return false;
        text = text.substr(0, open);
    }
    if ( text.ends_with(']') ) {
        std::size_t open = text.rfind('[');
        if ( open == std::string_view::npos || ! ContainsNoCase(text.substr(open > 4 ? open - 4 : 0, 4), "BODY") )
            return false;
        std::string_view section = text.substr(open + 1, text.size() - open - 2);
        return section.empty() || StartsWithNoCase(section, "HEADER");
    }
    std::size_t word = text.find_last_of(" (");
    text.remove_prefix(word == std::string_view::npos ? 0 : word + 1);
    return EqualsNoCase(text, "RFC822") || EqualsNoCase(text, "RFC822.HEADER");
}

// Whether a FETCH item asks for header fields without the subject and the Message-ID.
bool IsPartOfHeader(std::string_view text) {
    return ContainsNoCase(text, "HEADER.FIELDS (") && ! ContainsNoCase(text, "SUBJECT") &&
           ! ContainsNoCase(text, "MESSAGE-ID");
}

// Clients count their tags up: A1, A2. Such tags have the same letters in the same places.
bool IsTagLike(std::string_view tag, std::string_view other) {
    auto letters = [](std::string_view text) {
        std::size_t length = 0;
        while ( length < text.size() && ! IsDigit(text[length]) )
            ++length;
        return text.substr(0, length);
    };
    return letters(tag) == letters(other) && letters(tag).size() < tag.size() && tag.size() <= other.size() + 1 &&
           other.size() <= tag.size() + 1;
}

Weight CommandWeight(std::string_view verb, std::string_view arguments) {
    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    bool none = arguments.empty();
    if ( is("CAPABILITY") || is("NAMESPACE") )
        return none ? kStrong : kNone;
    if ( is("AUTHENTICATE") || is("FETCH") || is("ID") || is("COMPRESS") || is("GETQUOTAROOT") )
        return none ? kNone : kStrong;
    if ( is("UID") )
        return none ? kNone : kStrong;
    if ( is("LOGIN") || is("SELECT") || is("EXAMINE") || is("LIST") || is("LSUB") || is("XLIST") || is("STATUS") ||
         is("APPEND") || is("STORE") || is("ENABLE") || is("COPY") || is("MOVE") || is("SUBSCRIBE") )
        return none ? kNone : kMedium;
    if ( is("STARTTLS") || is("IDLE") || is("LOGOUT") )
        return none ? kMedium : kNone;
    if ( is("NOOP") || is("CHECK") || is("CLOSE") || is("EXPUNGE") || is("UNSELECT") )
        return none ? kWeak : kNone;
    if ( is("SEARCH") || is("CREATE") || is("DELETE") || is("RENAME") || is("UNSUBSCRIBE") || is("NOTIFY") ||
         is("SORT") || is("THREAD") || is("GETACL") || is("MYRIGHTS") || is("SETACL") || is("GETQUOTA") ||
         is("GETMETADATA") || is("SETMETADATA") || is("GETANNOTATION") || is("REPLACE") || is("LANGUAGE") )
        return none ? kNone : kWeak;
    return kNone;
}

} // namespace

Weight ClientWeight(std::string_view line) {
    if ( EqualsNoCase(line, "DONE") ) // RFC 9051 6.3.13: ends IDLE
        return kWeak;
    std::string_view rest = line;
    std::string_view tag = TakeWord(rest);
    if ( ! IsTag(tag) || EqualsNoCase(tag, "-ERR") ) // POP3: "-ERR Login failed."
        return kNone;
    std::string_view verb = TakeWord(rest);
    return CommandWeight(verb, rest);
}

Weight ServerWeight(std::string_view line) {
    if ( ! IsText(line) )
        return kNone;
    std::string_view rest = line;
    std::string_view first = TakeWord(rest);
    if ( first == "+" )
        return kWeak;
    std::string_view second = TakeWord(rest);
    auto is = [second](std::string_view name) { return EqualsNoCase(second, name); };
    if ( first != "*" )
        return IsTag(first) && IsStatusWord(second) ? kWeak : kNone;

    uint64_t number = 0;
    if ( ParseNumber(second, number) ) {
        std::string_view third = TakeWord(rest);
        return EqualsNoCase(third, "EXISTS") || EqualsNoCase(third, "RECENT") || EqualsNoCase(third, "EXPUNGE") ||
                       (EqualsNoCase(third, "FETCH") && rest.starts_with('(')) ?
                   kStrong :
                   kNone;
    }
    if ( IsStatusWord(second) || is("PREAUTH") || is("BYE") )
        return ContainsNoCase(rest, "IMAP") ? kStrong : is("PREAUTH") ? kMedium : kWeak;
    if ( is("CAPABILITY") )
        return ContainsNoCase(rest, "IMAP4") ? kStrong : kMedium;
    if ( is("FLAGS") || is("LIST") || is("LSUB") || is("XLIST") || is("ID") )
        return rest.starts_with('(') ? kStrong : kMedium;
    if ( is("ESEARCH") || is("VANISHED") || is("SORT") || is("THREAD") || is("ACL") || is("MYRIGHTS") ||
         is("METADATA") )
        return kMedium;
    if ( is("SEARCH") || is("STATUS") || is("ENABLED") || is("NAMESPACE") || is("QUOTA") || is("QUOTAROOT") )
        return kMedium;
    return kNone;
}

bool IsGreeting(std::string_view line) {
    if ( TakeWord(line) != "*" )
        return false;
    std::string_view status = TakeWord(line);
    if ( EqualsNoCase(status, "PREAUTH") )
        return true;
    return EqualsNoCase(status, "OK") &&
           (StartsWithNoCase(line, "[CAPABILITY ") || ContainsNoCase(line, "IMAP") || ContainsNoCase(line, "ready"));
}

bool HasCommandForm(std::string_view line) {
    std::string_view tag = TakeWord(line);
    std::string_view verb = TakeWord(line);
    return IsTag(tag) && std::any_of(tag.begin(), tag.end(), IsDigit) && verb.size() > 2 &&
           std::all_of(verb.begin(), verb.end(), IsLetter);
}

bool Client::RefusesLiteral(std::string_view line) const {
    std::string_view rest = line;
    std::string_view tag = TakeWord(rest);
    if ( ! IsTag(tag) )
        return false;
    std::string_view verb = TakeWord(rest);
    Weight weight = CommandWeight(verb, rest);
    std::string_view refused = command_.View();
    return weight >= kMedium || (weight != kNone && IsTagLike(tag, TakeWord(refused)));
}

Next Client::Read(const Line& line, SideFacts& facts) {
    if ( sasl_.Open() ) {
        if ( ClientWeight(line.text) == kNone && sasl_.Answer(line, facts) )
            return {};
        sasl_.Close();
    }

    if ( in_literal_command_ && RefusesLiteral(line.text) ) {
        Command(Ending::Refused, facts);
        command_.Clear();
        in_literal_command_ = false;
    }
    Literal literal;
    if ( ReadLiteral(line, literal) && (in_literal_command_ || ClientWeight(line.text) != kNone) ) {
        ExtendBefore(command_, literal, line);
        in_literal_command_ = true;
        // LOGIN's first literal is the user. The password, a message to append, a mailbox name: nobody needs them.
        std::string_view rest = command_.View();
        TakeWord(rest);
        if ( EqualsNoCase(rest, "LOGIN") && literal.length <= kMaxString )
            return {.kind = Next::Capture, .length = literal.length, .certain = literal.certain};
        Extend(command_, "\"\"");
        return {.kind = Next::Skip, .length = literal.length, .certain = literal.certain};
    }

    Extend(command_, line.text);
    in_literal_command_ = false;
    Next next = Command(line.cut ? Ending::Cut : Ending::Whole, facts);
    command_.Clear();
    return next;
}

void Client::Interrupted() {
    sasl_.Close();
    command_.Clear();
    in_literal_command_ = false;
}

void Client::Captured(std::string_view bytes, bool cut) {
    ExtendQuoted(command_, cut ? std::string_view{} : bytes);
    Extend(command_, " ");
}

Next Client::Command(Ending ending, SideFacts& facts) {
    std::string_view rest = command_.View();
    if ( ClientWeight(rest) == kNone ) {
        TakeWord(rest); // the tag
        facts.starttls_masked |= IsOverwritten(rest);
        return {};
    }

    std::string_view tag = TakeWord(rest);
    std::string_view verb = TakeWord(rest);
    facts.CountCommand(verb.empty() ? tag : verb); // DONE has no tag
    CommandTag here;
    if ( ! verb.empty() )
        here = facts.LogTag(HashTag(tag));
    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    if ( is("CAPABILITY") || is("ID") )
        facts.Reach(Stage::Hello);
    else if ( is("STARTTLS") ) {
        facts.RequestTls();
        facts.starttls_tag = here;
        return {.upgrade = true};
    }
    else if ( is("LOGIN") ) {
        facts.auth = "LOGIN";
        std::string user;
        bool whole = TakeString(rest, user) && (ending == Ending::Whole || ! rest.empty());
        facts.user = whole ? UserName(user) : std::string();
        facts.password_sent |= whole && ending != Ending::Refused && ! Trim(rest).empty();
        facts.auth_tag = here;
        facts.Reach(Stage::Auth);
    }
    else if ( is("AUTHENTICATE") ) {
        sasl_.Begin(rest, ending != Ending::Whole, facts);
        facts.auth_tag = here;
        facts.Reach(Stage::Auth);
    }
    else if ( is("COMPRESS") ) // RFC 4978: deflated from here on
        return {.kind = Next::Compress};
    else if ( is("FETCH") || (is("UID") && StartsWithNoCase(rest, "FETCH")) )
        facts.Reach(ContainsNoCase(rest, "BODY[") || ContainsNoCase(rest, "PEEK[") || ContainsNoCase(rest, "RFC822") ?
                        Stage::Data :
                        Stage::Envelope);
    else if ( is("LOGOUT") )
        facts.logout = true;
    else if ( ! verb.empty() && ! is("NOOP") && ! is("ENABLE") && ! is("NAMESPACE") )
        facts.Reach(Stage::Envelope);
    return {};
}

Next Server::Read(const Line& line, SideFacts& facts) {
    Literal literal;
    if ( ReadLiteral(line, literal) && (in_literal_response_ || line.text.starts_with("* ")) ) {
        ExtendBefore(response_, literal, line);
        in_literal_response_ = true;
        std::string_view response = response_.View();
        if ( IsMessageSection(response) && ContainsNoCase(response, "FETCH") ) {
            bool part = IsPartOfHeader(response.substr(response.rfind('[') + 1));
            Extend(response_, "\"\"");
            facts.message_begun |= literal.length > 0;
            facts.Reach(Stage::Data);
            return {.kind = Next::Chunk, .length = literal.length, .last = true, .part_of_header = part};
        }
        if ( literal.length <= kMaxHeaderValue )
            return {.kind = Next::Capture, .length = literal.length};
        Extend(response_, "\"\"");
        return {.kind = Next::Skip, .length = literal.length};
    }

    Extend(response_, line.text);
    in_literal_response_ = false;
    Next next = Response(line.cut, facts);
    response_.Clear();
    return next;
}

void Server::Interrupted() {
    response_.Clear();
    in_literal_response_ = false;
}

void Server::Captured(std::string_view bytes, bool cut) { ExtendQuoted(response_, cut ? std::string_view{} : bytes); }

Next Server::Response(bool cut, SideFacts& facts) {
    std::string_view rest = response_.View();
    std::string_view first = TakeWord(rest);
    if ( first == "*" )
        Untagged(rest, facts);
    else if ( first == "+" ) {
        ++facts.replies;
        facts.challenged |= ! AsksForPassword(rest) && ! IsContinuation(rest);
    }
    else {
        std::string_view status = TakeWord(rest);
        if ( IsTag(first) && IsStatusWord(status) )
            return Status(first, status, rest, cut, facts);
    }
    return {};
}

void Server::Untagged(std::string_view text, SideFacts& facts) {
    std::string_view rest = text;
    std::string_view word = TakeWord(rest);
    auto is = [&word](std::string_view name) { return EqualsNoCase(word, name); };
    bool status = IsStatusWord(word) || is("PREAUTH") || is("BYE");

    if ( (is("CAPABILITY") || StartsWithNoCase(rest, "[CAPABILITY")) && ContainsNoCase(rest, "STARTTLS") )
        facts.starttls_offered = true;
    if ( is("CAPABILITY") || StartsWithNoCase(rest, "[CAPABILITY ") )
        facts.starttls_masked |= HasMaskedOffer(rest.substr(0, rest.find(']')));
    if ( status )
        NoteCode(rest, facts);
    if ( ! is("BYE") )
        facts.NoteAfterAccept(false, rest);
    facts.preauth |= is("PREAUTH") && (facts.replies == 0 || facts.lost);
    facts.Reach(Stage::Greeting);
    if ( status && facts.replies == 0 && ! facts.lost ) {
        ++facts.replies;
        facts.banner = Bounded(rest);
        facts.last_reply = Bounded(text);
        facts.greeting_refused = is("BYE");
        if ( is("PREAUTH") )
            facts.Reach(Stage::Auth);
        return;
    }

    uint64_t number = 0;
    if ( is("BYE") )
        facts.logout = true;
    else if ( is("CAPABILITY") || is("ID") ) {
        facts.capability_answer = true;
        facts.Reach(Stage::Hello);
    }
    else if ( ParseNumber(word, number) || is("FLAGS") || is("LIST") || is("LSUB") || is("XLIST") || is("STATUS") ||
              is("SEARCH") || is("ESEARCH") || is("VANISHED") || is("SORT") || is("THREAD") ) {
        facts.Reach(Stage::Envelope);
        ReadEnvelope(text, facts);
    }
}

Next Server::Status(std::string_view tag, std::string_view status, std::string_view text, bool cut, SideFacts& facts) {
    bool ok = EqualsNoCase(status, "OK");
    bool bad = EqualsNoCase(status, "BAD") || ContainsNoCase(text, "Error in IMAP command"); // Courier says NO
    ++facts.replies;
    facts.LogTaggedReply({.tag = HashTag(tag), .code = ok ? kOk : kNo});
    // An error may repeat what the client sent, and its tag may be a password that came at the wrong place.
    facts.last_reply = status;
    if ( ! bad && ! cut && ! text.empty() )
        facts.last_reply.append(" ").append(Bounded(text));
    facts.last_reply_tag = tag;
    facts.last_reply_hash = HashTag(tag);
    facts.last_reply_failed = ! ok;
    facts.last_reply_bad = bad;
    facts.Reach(Stage::Greeting);
    if ( StartsWithNoCase(text, "[CAPABILITY") && ContainsNoCase(text, "STARTTLS") )
        facts.starttls_offered = true;
    if ( StartsWithNoCase(text, "[CAPABILITY ") )
        facts.starttls_masked |= HasMaskedOffer(text.substr(0, text.find(']')));
    NoteCode(text, facts);

    std::string_view message = BehindCode(text);
    facts.NoteAfterAccept(! ok, message);
    facts.starttls_refused |= ! ok && RefusesTls(message);
    if ( ok ? SaysLoggedIn(message) : RefusesLogin(text) ) {
        if ( ok )
            facts.SucceedLogin();
        else
            facts.auth_result = AuthResult::Failure;
        facts.challenged = false;
        facts.Reach(Stage::Auth);
        ++facts.further_replies;
        facts.capability_answer = false;
        return {};
    }
    facts.challenged = false;
    if ( std::exchange(facts.capability_answer, false) || facts.logout || bad || ContainsNoCase(message, "NOOP") )
        return {};
    facts.further_replies += ok;
    bool accepts = ok && AcceptsTls(message);
    if ( accepts )
        facts.AcceptTls();
    if ( ok && (StartsWithNoCase(text, "[READ-") || StartsWithNoCase(text, "[APPENDUID")) )
        facts.Reach(Stage::Envelope);
    return {.kind = ok && AcceptsCompression(message) ? Next::Compress : Next::Line, .upgrade = accepts};
}

} // namespace mailtap::decoder::imap
