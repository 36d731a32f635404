#include "pop3.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "header.h"
#include "masked_offer.h"
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

// RFC 2449 6, and those of RFC 2595, 5034 and 6856.
constexpr std::array<std::string_view, 8> kCapabilities = {
    "SASL", "RESP-CODES", "LOGIN-DELAY", "PIPELINING", "EXPIRE", "IMPLEMENTATION", "AUTH-RESP-CODE", "UTF8",
};

// Capabilities without argument that are commands, too; Dovecot's list begins with CAPA.
constexpr std::array<std::string_view, 5> kCommandCapabilities = {"CAPA", "TOP", "USER", "UIDL", "STLS"};

bool IsAmong(std::span<const std::string_view> words, std::string_view word) {
    return std::any_of(words.begin(), words.end(),
                       [word](std::string_view known) { return EqualsNoCase(known, word); });
}

// A word in capitals, as all capabilities are, also those of one vendor.
bool HasCapabilityForm(std::string_view line) {
    std::string_view word = line.substr(0, line.find(' '));
    return ! word.empty() && IsText(line) && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '-' || c == '_';
    });
}

// A line of an answer that only POP3 has: a listing's number, a capability, a mechanism (the answer to a bare AUTH).
bool IsListLine(std::string_view line) {
    return IsNumber(line.substr(0, line.find(' '))) || IsCapability(line) || IsMechanism(line);
}

// "120 octets", "message follows": the reply to RETR and TOP.
bool AnnouncesMessage(std::string_view text) {
    std::string_view rest = text;
    return (IsNumber(TakeWord(rest)) && StartsWithNoCase(rest, "octets")) || ContainsNoCase(text, "message follows") ||
           ContainsNoCase(text, "octets follow");
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
    if ( line == "XXXX" ) // STLS, overwritten on the way: may be all that a client says in the clear
        return kWeak;
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

bool IsGreeting(std::string_view line) {
    if ( ! IsStatus(line, "+OK") )
        return false;
    // Other replies say "Mailbox locked and ready" or "Ready to start TLS", and Courier's LIST says "POP3 clients ...".
    std::string_view text = Trim(line.substr(3));
    if ( SaysLoggedIn(text) || SaysBye(text) || ContainsNoCase(text, "TLS") ||
         IsNumber(text.substr(0, text.find(' '))) )
        return false;
    bool server = ContainsNoCase(text, "POP") && ContainsNoCase(text, "server");
    return server || ContainsNoCase(text, "ready") || HasTimestamp(text) || StartsWithNoCase(text, "Hello there");
}

bool IsReply(std::string_view line) { return IsStatus(line, "+OK") || IsStatus(line, "-ERR"); }

bool IsCapability(std::string_view line) { return IsCapabilityOnly(line) || IsAmong(kCommandCapabilities, line); }

bool IsCapabilityOnly(std::string_view line) { return IsAmong(kCapabilities, line.substr(0, line.find(' '))); }

Next Client::Read(const Line& line, SideFacts& facts) {
    std::string_view rest = line.text;
    std::string_view verb = TakeWord(rest);
    if ( sasl_.Open() ) {
        bool command = ! EqualsNoCase(verb, "AUTH") && ClientWeight(line.text) != kNone;
        if ( ! command && sasl_.Answer(line, facts) ) {
            facts.LogCommand(CommandKind::Auth);
            return {};
        }
        sasl_.Close();
    }
    const bool masked = IsOverwritten(line.text);
    facts.starttls_masked |= masked;
    if ( masked || ClientWeight(line.text) == kNone ) {
        facts.LogCommand(CommandKind::Other); // whatever it is, the server answers it
        return {};
    }

    facts.CountCommand(verb);
    CommandKind kind = CommandKind::Other;
    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    if ( is("CAPA") )
        facts.Reach(Stage::Hello);
    else if ( is("STLS") ) {
        facts.RequestTls();
        facts.LogCommand(CommandKind::StartTls);
        return {.upgrade = true};
    }
    else if ( is("USER") || is("APOP") ) {
        kind = is("APOP") ? CommandKind::Auth : CommandKind::User;
        facts.auth = ToUpper(verb);
        bool whole = ! line.cut || rest.find(' ') != std::string_view::npos;
        facts.user = whole ? UserName(rest) : std::string();
        facts.Reach(Stage::Auth);
    }
    else if ( is("PASS") ) {
        kind = CommandKind::Auth;
        facts.password_sent = true;
        facts.Reach(Stage::Auth);
    }
    else if ( is("AUTH") ) {
        if ( ! rest.empty() ) { // without argument it only asks for the mechanisms
            kind = CommandKind::Auth;
            sasl_.Begin(rest, line.cut, facts);
            facts.Reach(Stage::Auth);
        }
    }
    else if ( is("STAT") || is("LIST") || is("UIDL") || is("DELE") || is("LAST") )
        facts.Reach(Stage::Envelope);
    else if ( is("RETR") || is("TOP") ) {
        kind = CommandKind::Retrieve;
        facts.Reach(Stage::Data);
    }
    else if ( is("QUIT") ) {
        kind = CommandKind::Quit;
        facts.logout = true;
    }
    facts.LogCommand(kind);
    return {};
}

// RFC 1939 4, 5: only behind a login a server answers so, whatever it said to the login itself.
void Server::ShowMailbox(Stage stage, SideFacts& facts) {
    facts.auth_result = AuthResult::Success;
    facts.Reach(stage);
}

Next Server::Read(const Line& line, SideFacts& facts) {
    std::string_view text = line.text;
    if ( IsReply(text) ) {
        in_list_ = false;
        return Status(IsStatus(text, "+OK"), line, facts);
    }
    if ( in_list_ ) {
        if ( text != "." )
            ListLine(text, facts);
        else {
            facts.worded |= list_known_;
            facts.strange |= ! list_known_;
            in_list_ = false;
        }
        return {};
    }
    if ( text == "+" || text.starts_with("+ ") ) {
        ++facts.replies;
        facts.LogReply(kContinue);
        facts.challenged |= ! AsksForPassword(text.substr(1));
        facts.Reach(Stage::Auth);
        answered_ok_ = false;
        return {};
    }
    return Answer(text, facts);
}

// RFC 1939 3: behind +OK, only an answer of several lines can stand here.
Next Server::Answer(std::string_view line, SideFacts& facts) {
    bool answer = answered_ok_ && (facts.replies > 1 || facts.lost);
    answered_ok_ = false;
    if ( answer && (sends_message_ || LooksLikeHeader(line)) ) {
        facts.message_begun = true;
        ShowMailbox(Stage::Data, facts);
        return {.kind = Next::Message, .replay = true};
    }
    if ( answer && line == "." ) // an empty list
        return {};
    if ( answer && (IsListLine(line) || HasCapabilityForm(line)) ) {
        in_list_ = true;
        list_known_ = false;
        ListLine(line, facts);
        return {};
    }
    facts.strange = true;
    return {};
}

Next Server::Status(bool ok, const Line& line, SideFacts& facts) {
    bool greeting = facts.replies == 0 && ! facts.lost;
    std::string_view status = line.text.substr(0, ok ? 3 : 4);
    std::string_view text = Trim(line.text.substr(status.size()));
    facts.worded |= ! text.empty() && (ok || greeting || text.starts_with('['));
    ++facts.replies;
    facts.LogReply(ok ? kOk : kNo);
    facts.last_reply_failed = ! ok;
    // An error may repeat the line that the client sent, and so a password that came at the wrong place.
    facts.last_reply = Bounded(ok && ! line.cut ? line.text : status);
    facts.Reach(Stage::Greeting);
    answered_ok_ = ok;
    sends_message_ = ok && AnnouncesMessage(text);
    counted_ = false;
    if ( greeting ) {
        facts.greeting_refused = ! ok;
        if ( ok && ! line.cut )
            facts.banner = Bounded(text);
        return {};
    }
    // Cyrus answers QUIT with a bare +OK, and NOOP and RSET as well: the last of them may be QUIT's.
    facts.bare_goodbye = ok && text.empty() && ContainsNoCase(facts.banner, "Cyrus");
    if ( facts.bare_goodbye )
        return {};
    if ( ok && SaysBye(text) ) {
        facts.logout = true;
        return {};
    }

    bool accepts = ok && AcceptsTls(text);
    facts.NoteAfterAccept(! ok, text);
    if ( accepts )
        facts.AcceptTls();
    facts.starttls_refused |= ! ok && RefusesTls(text);
    counted_ = ok;
    facts.further_replies += ok;
    // With a timestamp in the greeting it may have been APOP, which sends no password.
    facts.challenged |= HasTimestamp(facts.banner);
    if ( ok && SaysLoggedIn(text) ) {
        facts.SucceedLogin();
        facts.Reach(Stage::Auth);
    }
    else if ( ! ok && RefusesLogin(text) ) {
        facts.auth_result = AuthResult::Failure;
        facts.Reach(Stage::Auth);
    }
    facts.challenged = false;
    // STAT, LIST, RETR: numbers first. DELE: "Marked to be deleted", "message deleted".
    if ( ok && (IsNumber(text.substr(0, text.find(' '))) || ContainsNoCase(text, "deleted")) )
        ShowMailbox(Stage::Envelope, facts);
    if ( sends_message_ )
        ShowMailbox(Stage::Data, facts);
    return {.upgrade = accepts};
}

void Server::ListLine(std::string_view line, SideFacts& facts) {
    list_known_ |= IsListLine(line);
    if ( IsCapability(line) ) {
        facts.AddWeight(IsCapabilityOnly(line) ? kStrong : kMedium);
        facts.reading.weight = kStrong;
        facts.Reach(Stage::Hello);
        facts.starttls_offered |= EqualsNoCase(line, "STLS");
        facts.further_replies -= std::exchange(counted_, false); // the reply was to CAPA
    }
    else if ( IsMaskedOffer(line, "STLS") )
        facts.starttls_masked = true;
    else if ( IsNumber(line.substr(0, line.find(' '))) )
        ShowMailbox(Stage::Envelope, facts);
}

} // namespace mailtap::decoder::pop3
