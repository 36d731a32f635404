#include "header.h"

#include "addresses.h"
#include "encoded_words.h"
#include "text.h"

namespace mailtap::decoder {

namespace {

// The length of the field name that `line` starts with (RFC 5322 2.2: printable ASCII but the colon; blanks before
// the colon are obsolete syntax, 4.5). 0 when it has none.
std::size_t FieldNameLength(std::string_view line) {
    std::size_t end = 0;
    while ( end < line.size() && line[end] > ' ' && line[end] < 0x7f && line[end] != ':' )
        ++end;
    std::size_t colon = end;
    while ( colon < line.size() && IsBlank(line[colon]) )
        ++colon;
    return colon < line.size() && line[colon] == ':' ? end : 0;
}

bool IsMailboxFileLine(std::string_view line) { return line.starts_with("From ") || line.starts_with(">From "); }

} // namespace

bool LooksLikeHeader(std::string_view line) { return FieldNameLength(line) > 0 || IsMailboxFileLine(line); }

HeaderParser::Field HeaderParser::FieldOf(std::string_view name) {
    if ( EqualsNoCase(name, "From") )
        return Field::From;
    if ( EqualsNoCase(name, "To") )
        return Field::To;
    if ( EqualsNoCase(name, "Subject") )
        return Field::Subject;
    if ( EqualsNoCase(name, "Message-ID") )
        return Field::MessageId;
    if ( EqualsNoCase(name, "User-Agent") || EqualsNoCase(name, "X-Mailer") )
        return Field::UserAgent;
    return Field::None;
}

bool HeaderParser::Line(std::string_view line, SideFacts& facts) {
    bytes_ += line.size();
    if ( ! line.empty() && IsBlank(line.front()) ) { // folded (RFC 5322 2.2.3)
        if ( field_ != Field::None && value_.size() < kMaxHeaderValue ) {
            value_.push_back(' ');
            value_ += Bounded(Trim(line), kMaxHeaderValue - value_.size());
        }
        return bytes_ <= kMaxHeaderBytes;
    }

    std::size_t name = FieldNameLength(line);
    End(true, facts);
    if ( name == 0 )
        return IsMailboxFileLine(line);
    if ( new_fields_ )
        facts.BeginHeader();
    new_fields_ = false;

    field_ = FieldOf(line.substr(0, name));
    if ( field_ != Field::None )
        value_ = Bounded(Trim(line.substr(line.find(':', name) + 1)), kMaxHeaderValue);
    return bytes_ <= kMaxHeaderBytes;
}

void HeaderParser::End(bool whole, SideFacts& facts) {
    if ( whole ) {
        switch ( field_ ) {
            case Field::From: AddHeaderAddresses(value_, facts.from); break;
            case Field::To: AddHeaderAddresses(value_, facts.to); break;
            case Field::Subject: facts.subject = Bounded(DecodeEncodedWords(value_)); break;
            case Field::MessageId: facts.msg_id = Bounded(value_); break;
            case Field::UserAgent: facts.user_agent = Bounded(value_); break;
            case Field::None: break;
        }
    }
    field_ = Field::None;
    std::string().swap(value_);
}

void HeaderParser::Begin(bool new_fields) {
    field_ = Field::None;
    value_.clear();
    bytes_ = 0;
    new_fields_ = new_fields;
}

} // namespace mailtap::decoder
