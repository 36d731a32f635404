#include "pop3.h"

#include <algorithm>
#include <array>

#include "header.h"
#include "phrases.h"
#include "text.h"

namespace mailtap::decoder::pop3 {

namespace {

bool IsNumber(std::string_view word) {
    uint64_t number = 0;
    return ParseNumber(word, number);
}

// RFC 1939 7: an MD5 digest in 32 hexadecimal digits.
bool IsDigest(std::string_view word) {
    return word.size() == 32 && std::all_of(word.begin(), word.end(),
                                            [](char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f'); });
}

// RFC 1939 7: the greeting's `<process-ID.clock@hostname>`.
bool HasTimestamp(std::string_view text) {
    std::size_t open = text.find('<');
    if ( open == std::string_view::npos )
        return false;
    text.remove_prefix(open + 1);
    text = text.substr(0, text.find('>'));
    return text.find('@') != std::string_view::npos && text.find(' ') == std::string_view::npos;
}

constexpr std::array<std::string_view, 11> kCapabilities = {
    "TOP",    "USER", "SASL", "RESP-CODES", "LOGIN-DELAY",    "PIPELINING",
    "EXPIRE", "UIDL", "STLS", "UTF8",       "AUTH-RESP-CODE",
};

bool IsCapability(std::string_view line) {
    std::string_view word = TakeWord(line);
    return std::any_of(kCapabilities.begin(), kCapabilities.end(),
                       [word](std::string_view known) { return EqualsNoCase(known, word); });
}

// What follows +OK without a status of its own: a listing's number, a capability, a mechanism (AUTH's answer).
bool StartsList(std::string_view line) {
    return line == "." || IsNumber(line.substr(0, line.find(' '))) || IsCapability(line) || IsMechanism(line);
}

bool IsStatus(std::string_view line, std::string_view status) {
    return StartsWithNoCase(line, status) && (line.size() == status.size() || IsBlank(line[status.size()]));
}

} // namespace

Weight ClientWeight(std::string_view line) {
    std::string_view rest = line;
    std::string_view verb = TakeWord(rest);
    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    if ( is("CAPA") || is("STLS") )
        return rest.empty() ? kStrong : kNone;
    if ( is("UIDL") )
        return rest.empty() || IsNumber(rest) ? kStrong : kNone;
    if ( is("TOP") )
        return IsNumber(TakeWord(rest)) && IsNumber(rest) ? kStrong : kNone;
    if ( is("APOP") ) {
        TakeWord(rest);
        return IsDigest(rest) ? kStrong : kNone;
    }
    if ( is("RETR") || is("DELE") )
        return IsNumber(rest) ? kMedium : kNone;
    if ( is("AUTH") ) {
        std::string_view mechanism = TakeWord(rest);
        return mechanism.empty() ? kWeak : IsMechanism(mechanism) ? kMedium : kNone;
    }
    if ( is("USER") || is("PASS") )
        return rest.empty() ? kNone : kWeak;
    if ( is("LIST") )
        return rest.empty() || IsNumber(rest) ? kWeak : kNone;
    if ( is("STAT") || is("QUIT") || is("NOOP") || is("RSET") || is("UTF8") || is("LAST") )
        return rest.empty() ? kWeak : kNone;
    if ( is("LANG") || is("XTND") )
        return kWeak;
    return kNone;
}

Weight ServerWeight(std::string_view line) {
    if ( ! IsText(line.substr(0, line.find(' '))) )
        return kNone;
    if ( IsStatus(line, "-ERR") || line.starts_with("+ ") || line == "+" )
        return kWeak;
    if ( ! IsStatus(line, "+OK") )
        return kNone;

    std::string_view text = line.substr(3);
    if ( ContainsNoCase(text, "POP") || HasTimestamp(text) )
        return kStrong;
    if ( IsNumber(TakeWord(text)) ) {
        std::string_view second = TakeWord(text);
        if ( StartsWithNoCase(second, "octets") || StartsWithNoCase(second, "message") )
            return kStrong;
        if ( IsNumber(second) )
            return kMedium;
    }
    return kWeak;
}

Next Client::Line(std::string_view line, SideFacts& facts) {
    std::string_view rest = line;
    std::string_view verb = TakeWord(rest);
    if ( sasl_.Open() ) {
        bool command = ! EqualsNoCase(verb, "AUTH") && ClientWeight(line) != kNone;
        if ( ! command && sasl_.Answer(line, facts) ) {
            facts.auth_mark = {.set = true, .number = ++facts.lines_answered};
            return {};
        }
        sasl_.Close();
    }
    ++facts.lines_answered;
    if ( ClientWeight(line) == kNone )
        return {};

    facts.CountCommand(verb);
    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    CommandMark here{.set = true, .number = facts.lines_answered};
    if ( is("CAPA") )
        facts.Reach(Stage::Hello);
    else if ( is("STLS") ) {
        facts.starttls_requested = true;
        facts.starttls_mark = here;
    }
    else if ( is("USER") || is("APOP") ) {
        facts.auth = ToUpper(verb);
        facts.user = Bounded(is("APOP") ? TakeWord(rest) : rest);
        facts.auth_mark = here;
        facts.Reach(Stage::Auth);
    }
    else if ( is("PASS") ) {
        facts.auth_mark = here;
        facts.Reach(Stage::Auth);
    }
    else if ( is("AUTH") ) {
        if ( ! rest.empty() ) { // without argument it only asks for the mechanisms
            sasl_.Begin(rest, facts);
            facts.auth_mark = here;
            facts.Reach(Stage::Auth);
        }
    }
    else if ( is("STAT") || is("LIST") || is("UIDL") || is("DELE") || is("LAST") )
        facts.Reach(Stage::Envelope);
    else if ( is("RETR") || is("TOP") )
        facts.Reach(Stage::Data);
    else if ( is("QUIT") )
        facts.logout = true;
    return {};
}

Next Server::Line(std::string_view line, SideFacts& facts) {
    if ( line == "+" || line.starts_with("+ ") ) {
        ++facts.replies;
        facts.LogReply({.code = kContinue});
        facts.Reach(Stage::Auth);
        answered_ok_ = false;
        return {};
    }

    bool ok = IsStatus(line, "+OK");
    if ( ! ok && ! IsStatus(line, "-ERR") ) {
        // RFC 1939 3: only an answer of several lines can stand here.
        bool answer = answered_ok_ && (facts.replies > 1 || facts.lost);
        answered_ok_ = false;
        if ( answer && LooksLikeHeader(line) ) {
            facts.Reach(Stage::Data);
            return {.kind = Next::Message, .replay = true};
        }
        if ( answer && StartsList(line) ) {
            if ( IsCapability(line) && facts.further_replies > 0 )
                --facts.further_replies;
            return {.kind = Next::List, .replay = true};
        }
        facts.strange = true;
        return {};
    }

    bool greeting = facts.replies == 0 && ! facts.lost;
    std::string_view text = Trim(line.substr(ok ? 3 : 4));
    facts.worded |= ! text.empty() && (ok || greeting);
    ++facts.replies;
    facts.LogReply({.code = ok ? kOk : kNo});
    facts.last_reply = Bounded(line);
    facts.Reach(Stage::Greeting);
    answered_ok_ = ok;
    if ( greeting ) {
        facts.greeting_refused = ! ok;
        if ( ok )
            facts.banner = Bounded(text);
    }
    else if ( ok && SaysBye(text) )
        facts.logout = true;
    else {
        facts.starttls_accepted |= ok && AcceptsTls(text);
        facts.starttls_refused |= ! ok && RefusesTls(text);
        ++facts.further_replies;
        if ( ok ? SaysLoggedIn(text) : RefusesLogin(text) ) {
            facts.auth_result = ok ? AuthResult::Success : AuthResult::Failure;
            facts.Reach(Stage::Auth);
        }
        if ( ok && IsNumber(text.substr(0, text.find(' '))) ) // STAT, LIST, RETR: numbers first
            facts.Reach(Stage::Envelope);
    }
    return {};
}

void Server::ListLine(std::string_view line, SideFacts& facts) {
    if ( IsCapability(line) ) {
        facts.reading.weight = kStrong;
        facts.Reach(Stage::Hello);
        facts.starttls_offered |= EqualsNoCase(line, "STLS");
    }
    else if ( IsNumber(line.substr(0, line.find(' '))) )
        facts.Reach(Stage::Envelope);
}

} // namespace mailtap::decoder::pop3
