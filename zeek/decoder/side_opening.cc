// SideDecoder until it has recognised the side's protocol.

#include "side.h"

#include <algorithm>
#include <utility>

#include "text.h"

namespace mailtap::decoder {

namespace {

constexpr uint8_t kMaxStrangeLines = 8;        // on a mail port, before its protocol shows
constexpr uint64_t kMaxSearched = 64 * 1024;   // bytes on any other port, before its protocol shows
constexpr std::size_t kMaxSocksOpening = 1024; // the longest legal one is 792 bytes
constexpr uint8_t kCapabilitiesOfAList = 3;    // in a row: more than a client sends as commands

bool IsProxyHeader(std::string_view line) { return line.starts_with("PROXY TCP") && line.size() <= 107; }

} // namespace

void SideDecoder::Socks(std::string_view& bytes) {
    std::size_t pending = lines_.Pending().size();
    lines_.Append(bytes.substr(0, kMaxSocksOpening - pending));
    SocksOpening opening = ReadSocks(lines_.Pending(), presumption_.role);
    bool full = lines_.Pending().size() >= kMaxSocksOpening;
    if ( opening.state == SocksOpening::More && ! full ) {
        bytes = {};
        return;
    }

    lines_.Clear(); // it may have held a password
    if ( opening.state != SocksOpening::Open ) {
        Enter(Mode::Opaque);
        return;
    }
    facts_.tunnel = Tunnel::Socks;
    facts_.tunnel_port = opening.port;
    facts_.opening_role = presumption_.role;
    bytes.remove_prefix(opening.length - pending);
    Follow({.kind = Next::Inner}, {});
}

// A first line of this length belongs to a mail protocol only if it begins like one: exploits send such lines.
bool SideDecoder::MayBeLong(std::string_view line) const {
    if ( facts_.lost )
        return true;
    Weight weight = Read(line.substr(0, kMaxOpeningLine), presumption_).weight;
    return weight >= (OnMailPort() ? kWeak : kStrong);
}

void SideDecoder::OpeningLine(const Line& line) {
    std::string_view text = line.text;
    if ( text.size() >= kMaxOpeningLine && ! MayBeLong(text) ) {
        Enter(Mode::Opaque);
        return;
    }
    if ( text.empty() || IsProxyHeader(text) )
        return;
    if ( strange_lines_ == 0 && ! facts_.lost && (IsHttpRequest(text) || IsHttpResponse(text)) ) {
        Enter(Mode::Http);
        Follow(http_.Begin(text, facts_), line);
        return;
    }
    if ( MayBeCapability(text) ) {
        HoldCapability(line);
        return;
    }

    Reading reading = Read(text, presumption_);
    if ( held_capabilities_ > 0 ) {
        bool listed = text == "." || pop3::IsReply(text);
        SecretBuffer whole(text);
        ReleaseCapabilities(
            {.service = Service::Pop3, .role = listed ? Role::Server : Role::Client, .weight = kStrong});
        ProtocolLine({.text = whole.View(), .end = whole.View()});
        return;
    }

    // After missing bytes, the first line may be the rest of any line.
    bool first = strange_lines_ == 0;
    Service usual = reading.role == Role::Client ? presumption_.as_client : presumption_.as_server;
    bool usual_port = reading.service != Service::None && reading.service == usual;
    bool expected_role = ! presumption_.Contradicts(reading.role);
    Weight needed = first ? kWeak : kStrong;
    if ( usual_port && expected_role )
        needed = kWeak;
    else if ( facts_.lost && first ) // text may have a line that another protocol than the port's has, too
        needed = OnMailPort() ? kStrong : kMedium;
    // Where a session is seen from the middle on another port, a weak line names no protocol. It counts if the other
    // side names it.
    bool doubtful = facts_.lost && first && reading.weight == kWeak && ! OnMailPort();
    if ( (reading.weight < needed && ! doubtful) || (facts_.lost && first && ! expected_role) ) {
        StrangeLine(text);
        return;
    }
    facts_.found_late = ! first;
    facts_.strange = ! first && reading.weight == kWeak;
    facts_.doubtful = doubtful;
    if ( first && ! facts_.gap && ! line.cut && IsGreeting(reading, text) ) {
        facts_.greeting_seen = true;
        facts_.lost = false;
    }
    Adopt(reading);
    if ( facts_.lost && IsSmtpClient() && ! line.cut ) {
        Recover(false, false);
        RecoveryLine(line);
    }
    else
        ProtocolLine(line);
}

// On a mail port a session may begin with other lines, or in the middle of something; elsewhere it is no mail.
void SideDecoder::StrangeLine(std::string_view line) {
    if ( facts_.lost )
        strange_lines_ = 1;
    else if ( ! OnMailPort() || ! IsText(line) || ++strange_lines_ > kMaxStrangeLines )
        Enter(Mode::Opaque);
    if ( ! OnMailPort() && searched_ > kMaxSearched )
        Enter(Mode::Opaque);
}

// Several POP3 capabilities are commands, too. Seen from the middle, such lines may be either side's.
bool SideDecoder::MayBeCapability(std::string_view line) const {
    return facts_.lost && presumption_.role != Role::Client && pop3::IsCapability(line);
}

void SideDecoder::HoldCapability(const Line& line) {
    held_.Append(line.text);
    held_.Append("\r\n");
    bool sure = pop3::IsCapabilityOnly(line.text) || ++held_capabilities_ == kCapabilitiesOfAList;
    if ( sure )
        ReleaseCapabilities({.service = Service::Pop3, .role = Role::Server, .weight = kStrong});
}

void SideDecoder::ReleaseCapabilities(const Reading& reading) {
    SecretBuffer lines = std::exchange(held_, SecretBuffer());
    held_capabilities_ = 0;
    facts_.found_late = strange_lines_ > 0;
    Adopt(reading);
    if ( auto* server = std::get_if<pop3::Server>(&protocol_) )
        server->ExpectAnswer();
    lines_.Clear();
    Decode(lines.View());
}

void SideDecoder::Adopt(const Reading& reading) {
    facts_.reading = reading;
    facts_.weight_sum = 0;
    bool client = reading.role == Role::Client;
    switch ( reading.service ) {
        case Service::Smtp:
            if ( client )
                protocol_.emplace<smtp::Client>();
            else
                protocol_.emplace<smtp::Server>();
            break;
        case Service::Pop3:
            if ( client )
                protocol_.emplace<pop3::Client>();
            else
                protocol_.emplace<pop3::Server>();
            break;
        case Service::Imap:
            if ( client )
                protocol_.emplace<imap::Client>();
            else
                protocol_.emplace<imap::Server>();
            break;
        case Service::None: break;
    }
    Enter(Mode::Lines);
    seeking_ = false;
}

} // namespace mailtap::decoder
