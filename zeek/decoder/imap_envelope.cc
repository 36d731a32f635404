#include "imap_envelope.h"

#include <string>

#include "addresses.h"
#include "encoded_words.h"
#include "text.h"

namespace mailtap::decoder::imap {

namespace {

// A display name as a header writes it: quoted where it holds what would end or divide it (RFC 5322 3.2.3). A dot does
// neither, and most senders leave it unquoted (4.1).
std::string DisplayName(std::string_view name) {
    std::string decoded = DecodeEncodedWords(name);
    if ( decoded.find_first_of("()<>[]:;@\\,\"") == std::string::npos )
        return decoded;
    std::string quoted = "\"";
    for ( char c : decoded ) {
        if ( c == '"' || c == '\\' )
            quoted.push_back('\\');
        quoted.push_back(c);
    }
    return quoted + "\"";
}

// Reads the list's tokens from the left. What isn't as it should be ends the reading.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool Open() { return Take('('); }
    bool Close() { return Take(')'); }

    // A string, or NIL as an empty one.
    bool String(std::string& value) {
        value.clear();
        SkipBlanks();
        if ( StartsWithNoCase(text_, "NIL") ) {
            text_.remove_prefix(3);
            return true;
        }
        if ( ! Take('"') )
            return false;
        while ( ! text_.empty() && text_.front() != '"' ) {
            if ( text_.front() == '\\' && text_.size() > 1 )
                text_.remove_prefix(1);
            if ( text_.front() != '\r' && text_.front() != '\n' ) // of a literal that is still folded
                value.push_back(text_.front());
            text_.remove_prefix(1);
        }
        return Take('"');
    }

    // A list of addresses, each (name route mailbox host), into `set`.
    bool Addresses(std::vector<std::string>* set) {
        SkipBlanks();
        if ( StartsWithNoCase(text_, "NIL") ) {
            text_.remove_prefix(3);
            return true;
        }
        if ( ! Open() )
            return false;
        while ( Open() ) {
            std::string name, route, mailbox, host;
            for ( std::string* part : {&name, &route, &mailbox, &host} )
                if ( ! At(')') && ! String(*part) )
                    return false;
            if ( ! Close() )
                return false;
            if ( ! set || mailbox.empty() || host.empty() ) // without host: a group's begin or end
                continue;
            std::string address = mailbox + "@" + host;
            AddMailbox(*set, name.empty() ? address : DisplayName(name) + " <" + address + ">");
        }
        return Close();
    }

private:
    void SkipBlanks() {
        while ( ! text_.empty() && IsBlank(text_.front()) )
            text_.remove_prefix(1);
    }

    bool At(char c) {
        SkipBlanks();
        return text_.starts_with(c);
    }

    bool Take(char c) {
        if ( ! At(c) )
            return false;
        text_.remove_prefix(1);
        return true;
    }

    std::string_view text_;
};

std::size_t FindEnvelope(std::string_view response) {
    constexpr std::string_view kKeyword = "ENVELOPE (";
    for ( std::size_t i = 1; i + kKeyword.size() <= response.size(); ++i )
        if ( (response[i - 1] == ' ' || response[i - 1] == '(') && StartsWithNoCase(response.substr(i), kKeyword) )
            return i + kKeyword.size() - 1;
    return std::string_view::npos;
}

} // namespace

void ReadEnvelope(std::string_view response, SideFacts& facts) {
    std::size_t at = FindEnvelope(response);
    if ( at == std::string_view::npos )
        return;

    Reader reader(response.substr(at));
    std::string date, subject, in_reply_to, msg_id;
    if ( ! (reader.Open() && reader.String(date) && reader.String(subject)) )
        return;
    facts.subject = Bounded(DecodeEncodedWords(subject));
    facts.msg_id.clear();
    // from, sender, reply-to, to, cc, bcc
    if ( ! (reader.Addresses(&facts.from) && reader.Addresses(nullptr) && reader.Addresses(nullptr) &&
            reader.Addresses(&facts.to) && reader.Addresses(nullptr) && reader.Addresses(nullptr)) )
        return;
    if ( reader.String(in_reply_to) && reader.String(msg_id) )
        facts.msg_id = Bounded(msg_id);
}

} // namespace mailtap::decoder::imap
