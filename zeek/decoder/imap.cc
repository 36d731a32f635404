#include "imap.h"

#include <algorithm>

#include "imap_envelope.h"
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

// `{n}`, `{n+}` or `~{n}` at the end of `line`: cuts it off, and its length to `length`.
bool TakeLiteral(std::string_view& line, uint64_t& length, bool& certain) {
    if ( ! line.ends_with('}') )
        return false;
    std::size_t open = line.rfind('{');
    if ( open == std::string_view::npos )
        return false;
    std::string_view number = line.substr(open + 1, line.size() - open - 2);
    certain = number.ends_with('+') || number.ends_with('-'); // RFC 7888: the client doesn't ask first
    if ( certain )
        number.remove_suffix(1);
    if ( ! ParseNumber(number, length) )
        return false;
    line = line.substr(0, open);
    if ( line.ends_with('~') )
        line.remove_suffix(1);
    return true;
}

// An atom or quoted string at the start of `rest`.
std::string TakeString(std::string_view& rest) {
    rest = Trim(rest);
    if ( ! rest.starts_with('"') )
        return std::string(TakeWord(rest));
    std::string value;
    std::size_t i = 1;
    for ( ; i < rest.size() && rest[i] != '"'; ++i ) {
        if ( rest[i] == '\\' && i + 1 < rest.size() )
            ++i;
        value.push_back(rest[i]);
    }
    rest.remove_prefix(std::min(i + 1, rest.size()));
    return value;
}

// Adds to a line with literals, which is bounded as one line is.
void Extend(std::string& text, std::string_view more) {
    text += more.substr(0, kMaxLine - std::min(kMaxLine, text.size()));
}

void ExtendQuoted(std::string& text, std::string_view value) {
    std::string quoted = "\"";
    for ( char c : value ) {
        if ( c == '"' || c == '\\' )
            quoted.push_back('\\');
        quoted.push_back(c);
    }
    quoted.push_back('"');
    Extend(text, quoted);
    Wipe(quoted);
}

// What is behind a response code: "[CAPABILITY ...] Logged in" says "Logged in".
std::string_view BehindCode(std::string_view text) {
    std::size_t close = text.starts_with('[') ? text.find(']') : std::string_view::npos;
    return close == std::string_view::npos ? text : Trim(text.substr(close + 1));
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
         is("SORT") || is("THREAD") || is("GETACL") || is("GETQUOTA") )
        return none ? kNone : kWeak;
    return kNone;
}

} // namespace

Weight ClientWeight(std::string_view line) {
    if ( EqualsNoCase(line, "DONE") ) // RFC 9051 6.3.13: ends IDLE
        return kWeak;
    std::string_view rest = line;
    if ( ! IsTag(TakeWord(rest)) )
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
    if ( is("SEARCH") || is("STATUS") || is("ENABLED") || is("NAMESPACE") || is("QUOTA") || is("QUOTAROOT") )
        return kMedium;
    return kNone;
}

bool EndsLiteral(std::string_view line) {
    std::string_view rest = line;
    if ( ! IsTag(TakeWord(rest)) )
        return false;
    std::string_view verb = TakeWord(rest);
    return CommandWeight(verb, rest) >= kMedium || (EqualsNoCase(verb, "NOOP") && rest.empty());
}

Next Client::Line(std::string_view line, SideFacts& facts) {
    if ( sasl_.Open() ) {
        bool continued = ClientWeight(line) == kNone && sasl_.Answer(line, facts);
        if ( continued )
            return {};
        sasl_.Close();
    }

    if ( in_literal_command_ && EndsLiteral(line) ) { // the server refused it
        Wipe(command_);
        in_literal_command_ = false;
    }
    uint64_t length = 0;
    bool certain = false;
    std::string_view text = line;
    bool literal = TakeLiteral(text, length, certain) && (in_literal_command_ || ClientWeight(line) != kNone);
    if ( literal ) {
        Extend(command_, text);
        in_literal_command_ = true;
        // LOGIN's first literal is the user. The password, a message to append, a mailbox name: nobody needs them.
        std::string_view rest = command_;
        TakeWord(rest);
        if ( EqualsNoCase(rest, "LOGIN") && length <= kMaxString )
            return {.kind = Next::Capture, .length = length};
        Extend(command_, "\"\"");
        return {.kind = Next::Skip, .length = length, .certain = certain};
    }

    Extend(command_, text);
    in_literal_command_ = false;
    Command(facts);
    Wipe(command_);
    std::string().swap(command_);
    return opaque_next_ ? Next{.kind = Next::Opaque} : Next{};
}

void Client::Interrupted() {
    sasl_.Close();
    Wipe(command_);
    in_literal_command_ = false;
}

void Client::Captured(std::string_view bytes) { ExtendQuoted(command_, bytes); }

void Client::Command(SideFacts& facts) {
    std::string_view rest = command_;
    if ( ClientWeight(rest) == kNone )
        return;

    std::string_view tag = TakeWord(rest);
    std::string_view verb = TakeWord(rest);
    facts.CountCommand(verb.empty() ? tag : verb); // DONE has no tag
    CommandMark here{.set = true, .tag = HashTag(tag)};
    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    if ( is("CAPABILITY") || is("ID") )
        facts.Reach(Stage::Hello);
    else if ( is("STARTTLS") ) {
        facts.starttls_requested = true;
        facts.starttls_mark = here;
    }
    else if ( is("LOGIN") ) {
        facts.auth = "LOGIN";
        std::string user = TakeString(rest);
        if ( IsText(user) )
            facts.user = Bounded(user);
        facts.auth_mark = here;
        facts.Reach(Stage::Auth);
    }
    else if ( is("AUTHENTICATE") ) {
        sasl_.Begin(rest, facts);
        facts.auth_mark = here;
        facts.Reach(Stage::Auth);
    }
    else if ( is("COMPRESS") ) // RFC 4978: from here on deflated
        opaque_next_ = true;
    else if ( is("FETCH") || (is("UID") && StartsWithNoCase(rest, "FETCH")) )
        facts.Reach(ContainsNoCase(rest, "BODY[") || ContainsNoCase(rest, "PEEK[") || ContainsNoCase(rest, "RFC822") ?
                        Stage::Data :
                        Stage::Envelope);
    else if ( is("LOGOUT") )
        facts.logout = true;
    else if ( ! verb.empty() && ! is("NOOP") && ! is("ENABLE") && ! is("NAMESPACE") )
        facts.Reach(Stage::Envelope);
}

Next Server::Line(std::string_view line, SideFacts& facts) {
    uint64_t length = 0;
    bool certain = false;
    std::string_view text = line;
    if ( TakeLiteral(text, length, certain) && (in_literal_response_ || text.starts_with("* ")) ) {
        Extend(response_, text);
        in_literal_response_ = true;
        if ( IsMessageSection(response_) && ContainsNoCase(response_, "FETCH") ) {
            Extend(response_, "\"\"");
            facts.Reach(Stage::Data);
            return {.kind = Next::Chunk, .length = length, .last = true};
        }
        if ( length <= kMaxHeaderValue )
            return {.kind = Next::Capture, .length = length};
        Extend(response_, "\"\"");
        return {.kind = Next::Skip, .length = length};
    }

    Extend(response_, line);
    in_literal_response_ = false;
    Response(facts);
    std::string().swap(response_);
    return {};
}

void Server::Interrupted() {
    response_.clear();
    in_literal_response_ = false;
}

void Server::Captured(std::string_view bytes) { ExtendQuoted(response_, bytes); }

void Server::Response(SideFacts& facts) {
    std::string_view rest = response_;
    std::string_view first = TakeWord(rest);
    if ( first == "*" )
        Untagged(rest, facts);
    else if ( first == "+" )
        ++facts.replies;
    else {
        std::string_view status = TakeWord(rest);
        if ( IsTag(first) && IsStatusWord(status) )
            Status(status, rest, HashTag(first), facts);
    }
}

void Server::Untagged(std::string_view text, SideFacts& facts) {
    std::string_view rest = text;
    std::string_view word = TakeWord(rest);
    auto is = [&word](std::string_view name) { return EqualsNoCase(word, name); };
    bool status = IsStatusWord(word) || is("PREAUTH") || is("BYE");

    if ( (is("CAPABILITY") || StartsWithNoCase(rest, "[CAPABILITY")) && ContainsNoCase(rest, "STARTTLS") )
        facts.starttls_offered = true;
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
              is("SEARCH") ) {
        facts.Reach(Stage::Envelope);
        ReadEnvelope(text, facts);
    }
}

void Server::Status(std::string_view status, std::string_view text, uint32_t tag, SideFacts& facts) {
    bool ok = EqualsNoCase(status, "OK");
    ++facts.replies;
    facts.LogReply({.tag = tag, .code = ok ? kOk : kNo});
    facts.last_reply = Bounded(response_);
    facts.Reach(Stage::Greeting);
    if ( StartsWithNoCase(text, "[CAPABILITY") && ContainsNoCase(text, "STARTTLS") )
        facts.starttls_offered = true;

    if ( facts.capability_answer || facts.logout ) {
        facts.capability_answer = false;
        return;
    }
    std::string_view said = BehindCode(text);
    ++facts.further_replies;
    facts.starttls_accepted |= ok && AcceptsTls(said);
    facts.starttls_refused |= ! ok && RefusesTls(said);
    if ( ok && (StartsWithNoCase(text, "[READ-") || StartsWithNoCase(text, "[APPENDUID")) )
        facts.Reach(Stage::Envelope);
    if ( ok ? SaysLoggedIn(said) : RefusesLogin(text) ) {
        facts.auth_result = ok ? AuthResult::Success : AuthResult::Failure;
        facts.Reach(Stage::Auth);
    }
}

} // namespace mailtap::decoder::imap
