// A message within a side's stream: its header is read, its body is skipped.

#pragma once

#include <cstdint>
#include <string_view>

#include "header.h"
#include "line_buffer.h"
#include "side_facts.h"

namespace mailtap::decoder {

// A message ends with a line of a single dot (RFC 5321 4.1.1.4, RFC 1939 3), or it comes in counted bytes: one IMAP
// literal (RFC 9051 4.3), or BDAT's chunks (RFC 3030), between which the header may break off anywhere.
class MessageReader {
public:
    enum class Progress : uint8_t {
        More,    // all bytes were the message's
        End,     // the dot came
        BareEnd, // a dot came that ends the message for servers which take LF alone for a line's end
        Left,    // a line came that is no longer the message's: Line() is it
    };

    // A dot-terminated message begins. `bare_lf`: the line before it ended in LF without CR.
    void Begin(bool bare_lf);

    // Takes bytes of a dot-terminated message up to where something other than More is to be said.
    // `leaves(line, first)` tells whether a line is no longer the message's; `first` is true for the first line.
    template <typename Leaves>
    Progress Lines(std::string_view& bytes, SideFacts& facts, const Leaves& leaves) {
        while ( ! bytes.empty() ) {
            if ( ! lines_.Take(bytes, line_) )
                return Progress::More;
            if ( Progress progress = Dot(facts); progress != Progress::More )
                return progress;
            if ( leaves(line_, first_) )
                return Progress::Left;
            TextLine(line_, facts);
        }
        return Progress::More;
    }

    // The line that Lines() stopped at. It lives until the next call.
    const decoder::Line& Line() const { return line_; }

    // All lines so far ended in CR LF, but perhaps the last one.
    bool RestEndsInCrlf() const { return crlf_seen_ && ! bare_lf_before_; }

    // Takes a line as the message's own: its first line, where that was read already, or the one that Lines() stopped
    // at.
    void TextLine(const decoder::Line& line, SideFacts& facts);

    // Counted bytes follow, which continue the open message or begin one. `part_of_header`: an IMAP client asked for
    // fields that leave out the subject and the Message-ID, so what is known of these stays.
    void BeginCounted(bool part_of_header = false);
    void Counted(std::string_view bytes, SideFacts& facts);

    // The message is whole, or is given up, for example by RSET.
    void End(SideFacts& facts);
    void GiveUp();

    // Bytes are missing: the rest of the header can't be trusted.
    void Interrupt(SideFacts& facts);

    // No more bytes will come. A header field that was complete counts.
    void EndOfInput(SideFacts& facts);

    bool HasUnfinishedField() const { return in_header_ && header_.HasField(); }
    std::size_t Memory() const { return lines_.Memory() + header_.Memory(); }

private:
    Progress Dot(SideFacts& facts);
    void Open(bool new_fields);

    LineBuffer lines_;
    HeaderParser header_;
    decoder::Line line_;
    bool open_ = false;           // a message has begun
    bool in_header_ = false;      // its header goes on
    bool first_ = false;          // the next line is its first
    bool crlf_seen_ = false;      // a line of it ended in CRLF
    bool bare_lf_ = false;        // the line before ended in LF alone
    bool bare_lf_before_ = false; // one before that
};

} // namespace mailtap::decoder
