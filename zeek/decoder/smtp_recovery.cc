#include "smtp_recovery.h"

#include <algorithm>
#include <utility>

#include "header.h"
#include "smtp.h"
#include "text.h"

namespace mailtap::decoder::smtp {

namespace {

// Commands that are no part of a mail transaction. A message's text quotes them more rarely than MAIL and RCPT.
bool IsOutsideTransaction(std::string_view line) {
    std::string_view verb = TakeWord(line);
    for ( std::string_view known : {"EHLO", "HELO", "LHLO", "AUTH", "STARTTLS", "BDAT", "BURL", "XCLIENT", "XFORWARD"} )
        if ( EqualsNoCase(verb, known) )
            return true;
    return false;
}

} // namespace

bool HasCommandForm(std::string_view line, bool with_argument) {
    std::string_view verb = with_argument ? TakeWord(line) : line;
    return verb.size() > 2 && verb.size() < 16 &&
           std::all_of(verb.begin(), verb.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

void Recovery::Begin(bool in_message, bool crlf_seen) {
    held_.Clear();
    in_message_ = in_message;
    after_data_ = false;
    crlf_seen_ = crlf_seen;
}

Recovery::Verdict Recovery::Read(const Line& line) {
    std::string_view text = line.text;
    crlf_seen_ |= ! line.bare_lf;
    if ( text == "." && ! (line.bare_lf && crlf_seen_) ) { // as MessageReader does it
        held_.Clear();
        return Verdict::EndOfMessage;
    }
    auto hold = [&] {
        held_.Append(text);
        held_.Append(line.bare_lf ? "\n" : "\r\n");
    };
    bool command = IsWholeCommand(text) ||
                   (! in_message_ && (ClientWeight(text) != kNone || HasCommandForm(text, ! held_.Empty())));
    if ( after_data_ && ! command && (! in_message_ || text.empty() || LooksLikeHeader(text)) ) {
        hold();
        return Verdict::Commands;
    }
    after_data_ = command && EqualsNoCase(text, "DATA");
    if ( ! command ) {
        held_.Clear();
        return Verdict::Text;
    }
    hold();
    bool sure = held_.Size() > kMaxHeldCommands || (! in_message_ && IsOutsideTransaction(text));
    return sure ? Verdict::Commands : Verdict::Undecided;
}

SecretBuffer Recovery::Release() { return std::exchange(held_, SecretBuffer()); }

} // namespace mailtap::decoder::smtp
