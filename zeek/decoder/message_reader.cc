#include "message_reader.h"

namespace mailtap::decoder {

void MessageReader::Open(bool new_fields) {
    lines_.Clear();
    header_.Begin(new_fields);
    open_ = in_header_ = true;
}

void MessageReader::Begin(bool bare_lf) {
    Open(true);
    first_ = true;
    crlf_seen_ = bare_lf_before_ = false;
    bare_lf_ = bare_lf;
}

MessageReader::Progress MessageReader::Dot(SideFacts& facts) {
    if ( line_.text != "." )
        return Progress::More;
    // RFC 5321 4.1.1.4: only CR LF . CR LF ends a message. A client that ends each of its lines in LF alone means its
    // dot so, too.
    bool standard = ! line_.bare_lf && ! bare_lf_;
    if ( ! standard && crlf_seen_ )
        return Progress::BareEnd;
    End(facts);
    return Progress::End;
}

void MessageReader::TextLine(const decoder::Line& line, SideFacts& facts) {
    first_ = false;
    bare_lf_before_ |= bare_lf_;
    bare_lf_ = line.bare_lf;
    crlf_seen_ |= ! line.bare_lf;
    if ( ! in_header_ )
        return;
    std::string_view text = line.text;
    if ( text.starts_with('.') ) // RFC 5321 4.5.2, RFC 1939 3: dot-stuffing
        text.remove_prefix(1);
    in_header_ = header_.Line(text, facts);
}

void MessageReader::BeginCounted(bool part_of_header) {
    if ( ! open_ )
        Open(! part_of_header);
}

void MessageReader::Counted(std::string_view bytes, SideFacts& facts) {
    while ( in_header_ && ! bytes.empty() )
        if ( lines_.Take(bytes, line_) )
            in_header_ = header_.Line(line_.text, facts);
}

void MessageReader::End(SideFacts& facts) {
    if ( in_header_ ) {
        if ( ! lines_.Pending().empty() )
            header_.Line(lines_.PendingLine().text, facts);
        header_.End(true, facts);
    }
    GiveUp();
}

void MessageReader::GiveUp() {
    lines_.Clear();
    header_.Begin();
    open_ = in_header_ = false;
}

void MessageReader::Interrupt(SideFacts& facts) {
    lines_.Clear();
    if ( in_header_ )
        header_.End(false, facts);
    in_header_ = false;
}

void MessageReader::EndOfInput(SideFacts& facts) {
    // The unfinished line may continue the field.
    std::string_view rest = lines_.Pending();
    bool continues = ! rest.empty() && (rest.front() == ' ' || rest.front() == '\t');
    if ( in_header_ )
        header_.End(! continues, facts);
    GiveUp();
}

} // namespace mailtap::decoder
