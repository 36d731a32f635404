#include <algorithm>

#include "imap.h"
#include "imap_syntax.h"
#include "masked_offer.h"
#include "text.h"

namespace mailtap::decoder::imap {

namespace {

// An atom or quoted string at the start of `rest`, whose characters go to `keep`. False when a quoted one isn't closed.
template <typename Keep>
bool TakeString(std::string_view& rest, Keep keep) {
    rest = Trim(rest);
    if ( ! rest.starts_with('"') ) {
        std::ranges::for_each(TakeWord(rest), keep);
        return true;
    }
    std::size_t i = 1;
    for ( ; i < rest.size() && rest[i] != '"'; ++i ) {
        if ( rest[i] == '\\' && i + 1 < rest.size() )
            ++i;
        keep(rest[i]);
    }
    bool closed = i < rest.size();
    rest.remove_prefix(std::min(i + 1, rest.size()));
    return closed;
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

bool HasCounter(std::string_view tag) { return std::any_of(tag.begin(), tag.end(), IsDigit); }

// A user and a password, which no other text is. Neither is kept.
bool IsTwoStrings(std::string_view arguments) {
    const auto ignore = [](char) {};
    return TakeString(arguments, ignore) && ! arguments.empty() && TakeString(arguments, ignore) && arguments.empty();
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
    if ( is("UNAUTHENTICATE") || is("RESETKEY") )
        return kWeak;
    if ( is("SEARCH") || is("CREATE") || is("DELETE") || is("RENAME") || is("UNSUBSCRIBE") || is("NOTIFY") ||
         is("SORT") || is("THREAD") || is("GETACL") || is("MYRIGHTS") || is("SETACL") || is("GETQUOTA") ||
         is("GETMETADATA") || is("SETMETADATA") || is("GETANNOTATION") || is("REPLACE") || is("LANGUAGE") ||
         is("SETQUOTA") || is("DELETEACL") || is("LISTRIGHTS") || is("SETANNOTATION") || is("GENURLAUTH") ||
         is("URLFETCH") || is("ESEARCH") || is("XAPPLEPUSHSERVICE") )
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
    if ( EqualsNoCase(verb, "LOGIN") && HasCounter(tag) && IsTwoStrings(rest) )
        return kStrong;
    return CommandWeight(verb, rest);
}

bool HasCommandForm(std::string_view line) {
    std::string_view tag = TakeWord(line);
    std::string_view verb = TakeWord(line);
    return IsTag(tag) && HasCounter(tag) && verb.size() > 2 && std::all_of(verb.begin(), verb.end(), IsLetter);
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

    if ( in_literal_command_ && RefusesLiteral(line.text) )
        EndCommand(Ending::Refused, facts);
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
    return EndCommand(line.cut ? Ending::Cut : Ending::Whole, facts);
}

void Client::CutCommand(SideFacts& facts, bool literal_sent) {
    if ( ! in_literal_command_ )
        return;
    if ( ClientWeight(command_.View()) == kNone ) // its first argument is the literal
        Extend(command_, "\"\"");
    EndCommand(literal_sent ? Ending::Cut : Ending::Refused, facts);
}

Next Client::EndCommand(Ending ending, SideFacts& facts) {
    Next next = Command(ending, facts);
    command_.Clear();
    in_literal_command_ = false;
    return next;
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
        bool whole =
            TakeString(rest, [&](char c) { user.push_back(c); }) && (ending == Ending::Whole || ! rest.empty());
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
    else if ( ! verb.empty() && ! is("NOOP") && ! is("ENABLE") && ! is("NAMESPACE") && ! is("UNAUTHENTICATE") )
        facts.Reach(Stage::Envelope);
    return {};
}

} // namespace mailtap::decoder::imap
