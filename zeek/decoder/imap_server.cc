#include <utility>

#include "imap.h"
#include "imap_envelope.h"
#include "imap_syntax.h"
#include "masked_offer.h"
#include "phrases.h"
#include "text.h"

namespace mailtap::decoder::imap {

namespace {

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

} // namespace

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
        if ( ! facts.preauth && ! facts.lost ) // only behind a login a server answers so (RFC 9051 6.3, 6.4)
            facts.auth_result = AuthResult::Success;
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
    facts.last_reply_bad = bad || (cut && ! ok);
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
