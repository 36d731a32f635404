#include "smtp.h"

#include <algorithm>
#include <array>
#include <utility>

#include "addresses.h"
#include "masked_offer.h"
#include "phrases.h"
#include "text.h"

namespace mailtap::decoder::smtp {

namespace {

std::string_view TakeVerb(std::string_view& line) {
    std::size_t end = 0;
    while ( end < line.size() && (IsLetter(line[end]) || IsDigit(line[end]) || line[end] == '-') )
        ++end;
    std::string_view verb = line.substr(0, end);
    line.remove_prefix(end);
    return verb;
}

// `FROM:` or `TO:` with what follows, from the rest of a MAIL or RCPT line.
bool TakeKeyword(std::string_view& rest, std::string_view keyword) {
    std::string_view text = Trim(rest);
    if ( ! StartsWithNoCase(text, keyword) )
        return false;
    text = Trim(text.substr(keyword.size()));
    if ( ! text.starts_with(':') )
        return false;
    rest = Trim(text.substr(1));
    return true;
}

// BDAT's argument (RFC 3030 2): the chunk's length, and whether it is the message's last.
bool IsChunkSize(std::string_view argument, uint64_t& size, bool& last) {
    if ( ! ParseNumber(TakeWord(argument), size) )
        return false;
    last = EqualsNoCase(argument, "LAST");
    return last || argument.empty();
}

// BURL's argument (RFC 4468 3.1): where the server fetches a part of the message, and whether it is the last.
bool IsChunkUrl(std::string_view argument, bool& last) {
    const std::string_view url = TakeWord(argument);
    last = EqualsNoCase(argument, "LAST");
    return url.find(':') != std::string_view::npos && (last || argument.empty());
}

// RFC 3463: class "." subject "." detail, of the reply's own class.
bool HasEnhancedStatus(std::string_view text, char code_class) {
    std::string_view status = TakeWord(text);
    if ( status.size() < 5 || status[0] != code_class || status[1] != '.' )
        return false;
    std::size_t dot = status.find('.', 2);
    uint64_t number = 0;
    return dot != std::string_view::npos && ParseNumber(status.substr(2, dot - 2), number) && number < 1000 &&
           ParseNumber(status.substr(dot + 1), number) && number < 1000;
}

constexpr std::array<std::string_view, 25> kExtensions = {
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "STARTTLS",
    "ENHANCEDSTATUSCODES",
    "AUTH",
    "CHUNKING",
    "SMTPUTF8",
    "DSN",
    "ETRN",
    "VRFY",
    "EXPN",
    "DELIVERBY",
    "XCLIENT",
    "XFORWARD",
    "BINARYMIME",
    "X-EXPS",
    "XEXCH50",
    "X-LINK2STATE",
    "LIMITS",
    "ATRN",
    "TURN",
    "HELP",
    "X-ANONYMOUSTLS",
    "BURL",
};

bool IsExtension(std::string_view text) {
    std::string_view keyword = TakeWord(text);
    keyword = keyword.substr(0, keyword.find('='));
    return std::any_of(kExtensions.begin(), kExtensions.end(),
                       [keyword](std::string_view known) { return EqualsNoCase(known, keyword); });
}

bool IsUpgrade(std::string_view word) { return EqualsNoCase(word, "STARTTLS") || EqualsNoCase(word, "X-ANONYMOUSTLS"); }

// `ddd text` or `ddd-text`. False when the line has no other form.
struct ReplyLine {
    uint16_t code = 0;
    bool more = false;
    std::string_view text;
};

bool ParseReply(std::string_view line, ReplyLine& reply) {
    if ( line.size() < 3 || ! IsDigit(line[0]) || ! IsDigit(line[1]) || ! IsDigit(line[2]) )
        return false;
    if ( line.size() > 3 && line[3] != ' ' && line[3] != '-' )
        return false;
    reply.code = static_cast<uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    reply.more = line.size() > 3 && line[3] == '-';
    reply.text = line.size() > 4 ? line.substr(4) : std::string_view{};
    return true;
}

// The codes of RFC 5321 4.2.3 and its extensions; of 4xx and 5xx all but those that only FTP has (RFC 959 4.2).
bool IsReplyCode(uint16_t code) {
    switch ( code ) {
        case 211:
        case 214:
        case 220:
        case 221:
        case 235:
        case 250:
        case 251:
        case 252:
        case 334:
        case 354: return true;
        case 425:
        case 426:
        case 532: return false;
        default: return code >= 400 && code < 600;
    }
}

// RFC 4954 6: 535, 534 and 538 answer AUTH only. 454 is STARTTLS's, too (RFC 3207 4).
bool RefusesLogin(uint16_t code, std::string_view text) {
    return code == 535 || code == 534 || code == 538 || (code == 454 && ContainsNoCase(text, "authentication"));
}

} // namespace

Weight ClientWeight(std::string_view line) {
    std::string_view argument = line;
    std::string_view verb = TakeVerb(argument);
    if ( verb.empty() || (! argument.empty() && ! IsBlank(argument.front())) )
        return kNone;
    argument = Trim(argument);

    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    if ( is("EHLO") || is("HELO") || is("LHLO") )
        return ! argument.empty() && argument.find(' ') == std::string_view::npos ? kStrong : kMedium;
    if ( is("MAIL") )
        return TakeKeyword(argument, "FROM") ? kStrong : kNone;
    if ( is("RCPT") )
        return TakeKeyword(argument, "TO") ? kStrong : kNone;
    if ( is("BDAT") ) {
        uint64_t size = 0;
        bool last = false;
        return IsChunkSize(argument, size, last) ? kStrong : kWeak;
    }
    if ( is("BURL") ) {
        bool last = false;
        return IsChunkUrl(argument, last) ? kStrong : kNone;
    }
    if ( is("AUTH") )
        return IsMechanism(TakeWord(argument)) ? kMedium : kNone;
    if ( is("X-ANONYMOUSTLS") || is("XCLIENT") || is("XFORWARD") )
        return kStrong;
    if ( is("STARTTLS") || is("DATA") || is("QUIT") || is("RSET") || is("TURN") )
        return argument.empty() ? kWeak : kNone;
    if ( is("NOOP") || is("HELP") || is("VRFY") || is("EXPN") || is("ETRN") || is("ATRN") )
        return kWeak;
    return kNone;
}

Weight ServerWeight(std::string_view line) {
    ReplyLine reply;
    if ( ! ParseReply(line, reply) || ! IsReplyCode(reply.code) || ! IsText(reply.text) )
        return kNone;
    if ( HasEnhancedStatus(reply.text, line[0]) )
        return kStrong;
    if ( reply.code == 220 ) {
        if ( ContainsNoCase(reply.text, "SMTP") || ContainsNoCase(reply.text, "LMTP") )
            return kStrong;
        return ContainsNoCase(reply.text, "FTP") ? kNone : kWeak;
    }
    if ( reply.code == 250 && IsExtension(reply.text) )
        return reply.more ? kStrong : kMedium;
    return reply.code == 354 ? kMedium : kWeak;
}

bool IsGreeting(std::string_view line) {
    ReplyLine reply;
    if ( ! ParseReply(line, reply) || reply.code != 220 || HasEnhancedStatus(reply.text, '2') )
        return false;
    bool ready = ContainsNoCase(reply.text, "ready") && ! ContainsNoCase(reply.text, "TLS"); // Dovecot says no more
    return ready || ContainsNoCase(reply.text, "SMTP") || ContainsNoCase(reply.text, "LMTP");
}

bool IsWholeCommand(std::string_view line) {
    for ( std::string_view verb : {"QUIT", "RSET", "DATA", "NOOP", "STARTTLS"} )
        if ( EqualsNoCase(line, verb) )
            return true;
    std::string_view argument = line;
    if ( EqualsNoCase(TakeWord(argument), "AUTH") )
        return ClientWeight(line) != kNone;
    return ClientWeight(line) == kStrong;
}

bool BeginsTransaction(std::string_view line) {
    return IsWholeCommand(line) && ! EqualsNoCase(line, "QUIT") && ! EqualsNoCase(line, "NOOP");
}

// A message's first line is nearly always a header field: a word and a colon. MAIL FROM: and RCPT TO: have a blank
// before the colon.
bool IsCommandAfterData(std::string_view line) { return IsWholeCommand(line) || EqualsNoCase(line, "HELP"); }

Next Client::Read(const Line& line, SideFacts& facts) {
    std::string_view argument = line.text;
    std::string_view verb = TakeVerb(argument);
    if ( sasl_.Open() ) {
        // Four letters are valid Base64 too, but no user has such a name.
        bool command = ! EqualsNoCase(verb, "AUTH") && ClientWeight(line.text) != kNone;
        if ( ! command && sasl_.Answer(line, facts) ) {
            facts.LogCommand(CommandKind::Auth);
            return {};
        }
        sasl_.Close();
    }
    return Command(verb, Trim(argument), line, facts);
}

Next Client::Command(std::string_view verb, std::string_view argument, const Line& line, SideFacts& facts) {
    auto is = [verb](std::string_view name) { return EqualsNoCase(verb, name); };
    auto count = [&facts, verb](CommandKind kind) {
        facts.CountCommand(verb);
        facts.LogCommand(kind);
    };

    if ( is("EHLO") || is("HELO") || is("LHLO") ) {
        count(CommandKind::Hello);
        facts.lmtp = is("LHLO");
        if ( ! line.cut && ! argument.empty() ) // without a name it is refused (RFC 5321 4.1.1.1): the last one holds
            facts.helo = Bounded(argument);
        facts.Reach(Stage::Hello);
        return {.new_transaction = true};
    }
    if ( is("MAIL") && TakeKeyword(argument, "FROM") ) {
        count(CommandKind::Mail);
        ++facts.mailfrom_count;
        AddToSet(facts.mailfrom, EnvelopeAddress(argument, line.cut));
        facts.Reach(Stage::Envelope);
        return {.new_transaction = true};
    }
    if ( is("RCPT") && TakeKeyword(argument, "TO") ) {
        count(CommandKind::Recipient);
        ++facts.rcptto_count;
        AddToSet(facts.rcptto, EnvelopeAddress(argument, line.cut));
        facts.Reach(Stage::Envelope);
    }
    else if ( is("DATA") && argument.empty() ) {
        count(CommandKind::Data);
        ++facts.data_commands;
        facts.Reach(Stage::Data);
        return {.kind = Next::Message};
    }
    else if ( is("BDAT") ) {
        uint64_t size = 0;
        bool last = false;
        bool chunk = ! line.cut && IsChunkSize(argument, size, last);
        count(chunk ? (last ? CommandKind::LastChunk : CommandKind::Chunk) : CommandKind::Other);
        if ( chunk ) {
            facts.chunk_command = true;
            facts.Reach(Stage::Data);
            return {.kind = Next::Chunk, .length = size, .last = last};
        }
    }
    else if ( bool last = false; is("BURL") && ! line.cut && IsChunkUrl(argument, last) ) {
        count(last ? CommandKind::LastChunk : CommandKind::Chunk);
        facts.chunk_command = true;
        facts.Reach(Stage::Data);
        return {.kind = Next::Chunk, .length = 0, .last = last};
    }
    else if ( IsUpgrade(verb) && argument.empty() ) {
        count(CommandKind::StartTls);
        facts.RequestTls();
        return {.upgrade = true};
    }
    else if ( is("AUTH") && IsMechanism(argument.substr(0, argument.find(' '))) ) {
        count(CommandKind::Auth);
        sasl_.Begin(argument, line.cut, facts);
        facts.Reach(Stage::Auth);
    }
    else if ( is("QUIT") ) {
        count(CommandKind::Quit);
        facts.logout = true;
    }
    else if ( is("RSET") ) {
        count(CommandKind::Mail);
        return {.new_transaction = true};
    }
    else if ( ClientWeight(line.text) != kNone ) // NOOP, HELP, VRFY, EXPN, ...
        count(CommandKind::Other);
    else {
        facts.starttls_masked |= argument.empty() && IsOverwritten(verb);
        facts.LogCommand(CommandKind::Other); // whatever it is, the server answers it
    }
    return {};
}

void Client::MessageEnded(SideFacts& facts) { facts.LogCommand(CommandKind::Message); }

Next Server::Read(const Line& line, SideFacts& facts) {
    ReplyLine reply;
    if ( ! ParseReply(line.text, reply) )
        return {};

    // RFC 5321 4.1.1.1: the first line of EHLO's answer is the server's name, each further one an extension.
    if ( reply.code == 250 && lines_ > 0 ) {
        std::string_view text = reply.text;
        facts.Reach(Stage::Hello);
        const std::string_view keyword = TakeWord(text);
        if ( IsUpgrade(keyword) )
            facts.starttls_offered = true;
        facts.starttls_masked |= text.empty() && IsMaskedOffer(keyword, "STARTTLS");
    }
    if ( facts.replies == 0 && lines_ == 0 && ! facts.lost && ! line.cut && reply.code == 220 )
        facts.banner = Bounded(reply.text);
    facts.starttls_masked |= reply.code == 220 && IsMaskedGreeting(reply.text);

    ++lines_;
    if ( reply.more )
        return {};
    lines_ = 0;
    // A server that doesn't know a command may repeat it, and it may be a password that came at the wrong place.
    bool code_only = line.cut || (reply.code >= 500 && reply.code <= 504);
    facts.last_reply = Bounded(code_only ? line.text.substr(0, 3) : line.text);
    return {.upgrade = Reply(reply.code, reply.text, facts)};
}

// Whether a 220 that isn't the greeting accepts STARTTLS. XCLIENT is answered by the greeting again, with another time
// in it, maybe.
bool Server::AcceptsUpgrade(std::string_view text, const SideFacts& facts) const {
    const auto first_word = [](std::string_view line) { return line.substr(0, line.find(' ')); };
    const std::string_view banner = facts.banner;
    const bool greeting = ContainsNoCase(text, "SMTP") && (banner.empty() || first_word(text) == first_word(banner));
    const bool about_tls = ContainsNoCase(text, "TLS") && ! ContainsNoCase(banner, "TLS");
    return about_tls || HasEnhancedStatus(text, '2') || ! (greeting || text == banner);
}

// Whether it accepts STARTTLS.
bool Server::Reply(uint16_t code, std::string_view text, SideFacts& facts) {
    bool greeting = facts.replies == 0 && ! facts.lost;
    bool ends_message = std::exchange(after_354_, false);
    bool ends_login = std::exchange(after_334_, code == 334);
    ++facts.replies;
    facts.LogReply(code);
    facts.last_reply_failed = code >= 400;
    facts.Reach(Stage::Greeting);
    facts.NoteAfterAccept(code >= 400, text);
    bool challenged = std::exchange(facts.challenged, false);

    bool accepts = false;
    if ( greeting )
        facts.greeting_refused = code >= 400;
    else if ( code == 220 ) {
        // It may be the greeting, where no greeting was seen yet.
        accepts = facts.replies > 1 ? AcceptsUpgrade(text, facts) : ContainsNoCase(text, "TLS");
        if ( accepts )
            facts.AcceptTls();
    }
    else if ( code == 454 && ContainsNoCase(text, "TLS") )
        facts.starttls_refused = true;
    else if ( code == 221 )
        facts.logout = true;
    else if ( code == 235 ) {
        facts.challenged = challenged;
        facts.SucceedLogin();
        facts.Reach(Stage::Auth);
    }
    else if ( code == 334 ) {
        facts.challenged = challenged || ! AsksForPassword(text);
        facts.Reach(Stage::Auth);
    }
    else if ( (ends_login && code >= 400) || RefusesLogin(code, text) ) {
        if ( facts.auth_result == AuthResult::Unknown )
            facts.auth_result = AuthResult::Failure;
        facts.Reach(Stage::Auth);
    }
    else if ( code == 354 ) {
        ++facts.data_accepted;
        facts.Reach(Stage::Data);
        after_354_ = true;
    }
    else if ( code == 250 && (ends_message || SaysQueued(text)) ) { // a message in chunks has no 354
        ++facts.messages;
        facts.Reach(Stage::Delivered);
    }
    else if ( code == 250 && (text.starts_with("2.1.0") || text.starts_with("2.1.5")) )
        facts.Reach(Stage::Envelope);
    else if ( ends_message && code >= 400 )
        ++facts.messages_refused;
    return accepts;
}

} // namespace mailtap::decoder::smtp
