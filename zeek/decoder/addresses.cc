#include "addresses.h"

#include <algorithm>

#include "encoded_words.h"
#include "text.h"

namespace mailtap::decoder {

namespace {

// The end of the path that starts behind '<': the '>' outside a quoted local part.
std::size_t ClosingBracket(std::string_view text) {
    bool quoted = false;
    for ( std::size_t i = 0; i < text.size(); ++i ) {
        if ( quoted && text[i] == '\\' )
            ++i;
        else if ( text[i] == '"' )
            quoted = ! quoted;
        else if ( text[i] == '>' && ! quoted )
            return i;
    }
    return text.size();
}

// RFC 5321 4.1.1.3: a source route `@one,@two:` before the mailbox is to be ignored.
std::string_view WithoutSourceRoute(std::string_view path) {
    if ( ! path.starts_with('@') )
        return path;
    std::size_t colon = path.find(':');
    return colon == std::string_view::npos ? path : path.substr(colon + 1);
}

// Whether two items differ in quotes and backslashes at most. Compares from the end, where addresses differ.
bool SameMailbox(std::string_view a, std::string_view b) {
    auto next = [](std::string_view& text) {
        while ( text.ends_with('"') || text.ends_with('\\') )
            text.remove_suffix(1);
        char c = text.empty() ? '\0' : text.back();
        if ( ! text.empty() )
            text.remove_suffix(1);
        return c;
    };
    while ( ! a.empty() || ! b.empty() )
        if ( next(a) != next(b) )
            return false;
    return true;
}

} // namespace

std::string EnvelopeAddress(std::string_view argument, bool cut) {
    argument = Trim(argument);
    if ( ! argument.starts_with('<') ) {
        std::string_view address = WithoutSourceRoute(TakeWord(argument));
        return cut && argument.empty() ? std::string() : std::string(address);
    }

    std::string_view path = argument.substr(1);
    std::size_t end = ClosingBracket(path);
    if ( end == path.size() ) // cut: what there is of it is another address
        return {};
    path = Trim(WithoutSourceRoute(Trim(path.substr(0, end))));
    return path.empty() ? "<>" : std::string(path);
}

void AddMailbox(std::vector<std::string>& set, std::string_view item) {
    auto same = std::find_if(set.begin(), set.end(), [item](const auto& known) { return SameMailbox(known, item); });
    if ( same == set.end() )
        AddToSet(set, item);
    else if ( item.size() <= kMaxAddress )
        *same = item;
}

void AddHeaderAddresses(std::string_view value, std::vector<std::string>& set) {
    auto add = [&set](std::string_view item) {
        item = Trim(item);
        if ( ! item.empty() )
            AddMailbox(set, DecodeEncodedWords(item));
    };

    bool quoted = false;
    bool bracketed = false; // in angle brackets, or in the square ones of an address literal
    int comments = 0;
    std::size_t start = 0;
    for ( std::size_t i = 0; i < value.size(); ++i ) {
        char c = value[i];
        if ( (quoted || comments > 0) && c == '\\' )
            ++i;
        else if ( quoted )
            quoted = c != '"';
        else if ( c == '(' )
            ++comments;
        else if ( comments > 0 )
            comments -= c == ')';
        else if ( c == '"' )
            quoted = true;
        else if ( c == '<' || c == '[' )
            bracketed = true;
        else if ( c == '>' || c == ']' )
            bracketed = false;
        else if ( c == ':' && ! bracketed ) // a group's name ends
            start = i + 1;
        else if ( (c == ',' || c == ';') && ! bracketed ) {
            add(value.substr(start, i - start));
            start = i + 1;
        }
    }
    add(value.substr(start));
}

} // namespace mailtap::decoder
