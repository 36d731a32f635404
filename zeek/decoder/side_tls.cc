// SideDecoder where TLS begins, or is awaited.

#include "side.h"

#include <algorithm>
#include <utility>

#include "tls.h"

namespace mailtap::decoder {

void SideDecoder::TlsProbe(std::string_view& bytes) {
    std::size_t take = std::min(kTlsProbe - lines_.Pending().size(), bytes.size());
    lines_.Append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if ( lines_.Pending().size() < kTlsProbe )
        return;

    SecretBuffer probe(lines_.Pending());
    lines_.Clear();
    bool opening = after_probe_ == Mode::Opening;
    const bool alert = opening && IsTlsAlert(probe.View());
    if ( opening ? alert || IsTlsHello(probe.View()) : IsTlsRecord(probe.View()) ) {
        Role role = probe.View()[5] == 1 && ! alert ? Role::Client : Role::Server;
        if ( held_capabilities_ > 0 && opening ) {
            ReleaseCapabilities({.service = Service::Pop3, .role = role, .weight = kStrong});
            opening = false;
        }
        if ( after_probe_ == Mode::Recovery )
            ReleaseCommands();
        if ( opening ) {
            facts_.tls_opening = true;
            facts_.opening_role = role;
        }
        else {
            if ( awaited_ && IsTlsHello(probe.View()) && awaited_->TextBefore(probe.View()) )
                TakeBackInjected();
            facts_.tls_upgrade = true;
        }
        BeginTls(probe.View());
        return;
    }

    // Not TLS: the same bytes once more, as lines. They can't be probed again, since Pending isn't empty then.
    Enter(after_probe_);
    std::size_t end = probe.View().find('\n');
    lines_.Append(probe.View().substr(0, end));
    if ( end != std::string_view::npos )
        Decode(probe.View().substr(end));
}

// `first` are TLS's first bytes. Of TLS on other ports than mail's nothing is read, unless mail came before it.
void SideDecoder::BeginTls(std::string_view first) {
    bool read = (facts_.tls_upgrade || inner_ || OnMailPort()) && ! take_bare_lf_;
    if ( awaited_ && facts_.reading.role == Role::Client )
        earlier_requests_ = awaited_->TakeEarlier();
    awaited_.Drop();
    upgrade_ = false;
    Enter(read ? Mode::Tls : Mode::Opaque);
    if ( ! read )
        return;
    tls_.Make();
    Tls(first);
}

// A line came that TLS follows. Behind an acceptance another one is as little the server's as any other text is. A
// client's request may be the second since the first was refused.
void SideDecoder::AwaitTls() {
    if ( awaited_ && facts_.accepted_again )
        return;
    Detached<AwaitedTls> before = std::move(awaited_);
    awaited_.Make(facts_);
    if ( before )
        awaited_->Follow(*before.Get());
    upgrade_ = asked_anew_ = true;
}

// Whether the awaited hello is among `bytes`.
bool SideDecoder::FoundAwaitedTls(std::string_view bytes) {
    const auto hello = awaited_->Find(bytes);
    if ( ! hello ) {
        if ( awaited_->GivenUp() )
            awaited_.Drop();
        return false;
    }
    if ( AsksAnewBefore(bytes.substr(0, bytes.size() - std::min(bytes.size(), hello->Size()))) ) {
        Data(hello->View());
        return true;
    }
    if ( awaited_->TextBefore() )
        TakeBackInjected();
    facts_.tls_upgrade = true;
    BeginTls(hello->View());
    return true;
}

// Decodes what stands before the hello in the same bytes. Whether a line there asks for TLS, too, or accepts it: only
// what follows that line is taken back.
bool SideDecoder::AsksAnewBefore(std::string_view text) {
    if ( text.empty() || inflater_ )
        return false;
    asked_anew_ = false;
    Decode(text);
    return asked_anew_ || mode_ == Mode::Tls || mode_ == Mode::Opaque;
}

// What came between the line and the hello is nobody's command or reply.
void SideDecoder::TakeBackInjected() {
    awaited_->Restore(facts_);
    (facts_.reading.role == Role::Client ? facts_.command_injected : facts_.response_injected) = true;
    bare_.Drop();
}

void SideDecoder::Tls(std::string_view bytes) {
    tls_->Data(bytes);
    const bool heard = Heard(bytes);
    if ( tls_->Done() && heard )
        Enter(Mode::Opaque);
}

// Gives the bytes to the listener. Whether it has heard enough.
bool SideDecoder::Heard(std::string_view bytes) {
    if ( ! listener_ )
        return true;
    if ( listener_->Listens() ) {
        listener_->TlsData(side_, bytes);
        heard_ += tls_->Done() ? bytes.size() : 0;
        if ( heard_ <= kMaxEncryptedHeard )
            return false;
    }
    listener_ = nullptr;
    return true;
}

} // namespace mailtap::decoder
