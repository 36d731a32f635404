#include "hello.h"

#include <algorithm>
#include <utility>

#include "bytes.h"
#include "extensions.h"
#include "limits.h"

namespace mailtap::decoder::tls {

namespace {

constexpr std::size_t kRandomAt = 2;
constexpr std::size_t kRandomLength = 32;
constexpr std::size_t kOpening = kRandomAt + kRandomLength + 1;

// The random of a HelloRetryRequest (RFC 8446 4.1.3).
constexpr std::string_view kRetryRandom =
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

// Drafts of TLS 1.3 before the 22nd wrote their number as the ServerHello's version, and it had another form.
bool IsOldDraft(uint16_t version) { return version >> 8 == 0x7f; }

bool IsRead(uint16_t type) {
    return type == extension::kServerName || type == extension::kSignatureAlgorithms || type == extension::kProtocols ||
           type == extension::kSupportedVersions;
}

} // namespace

HelloReader::HelloReader(Role sender) : fields_(kOpening), sender_(sender) {}

void HelloReader::Data(std::string_view bytes, Facts& facts) {
    std::string_view field;
    while ( step_ != Step::Stopped && fields_.Take(bytes, field) )
        Field(field, facts);
}

void HelloReader::End(Facts& facts) {
    // Up to TLS 1.2 a hello may end without extensions.
    if ( step_ == Step::ExtensionsLength && ! fields_.HasPart() )
        Complete(facts);
}

void HelloReader::Enter(Step step, std::size_t length, std::size_t keep) {
    step_ = step;
    fields_.Expect(length, keep);
}

void HelloReader::EnterList(Step step, std::size_t length) {
    if ( length > kMaxListBytes )
        client_.too_long = true;
    Enter(step, length, kMaxListBytes);
}

void HelloReader::Field(std::string_view field, Facts& facts) {
    switch ( step_ ) {
        case Step::Opening:
            client_.version = static_cast<uint16_t>(Number(field, 0, 2));
            facts.version = client_.version;
            if ( sender_ == Role::Server )
                facts.hello_retry = field.substr(kRandomAt, kRandomLength) == kRetryRandom;
            if ( sender_ == Role::Server && IsOldDraft(client_.version) )
                step_ = Step::Stopped;
            else
                Enter(Step::SessionId, Number(field, kOpening - 1, 1), 0);
            break;
        case Step::SessionId:
            if ( sender_ == Role::Client )
                Enter(Step::CipherListLength, 2, 2);
            else
                Enter(Step::Choice, 3, 3);
            break;
        case Step::CipherListLength: EnterList(Step::CipherList, Number(field)); break;
        case Step::CipherList:
            client_.AddCiphers(field);
            Enter(Step::CompressionListLength, 1, 1);
            break;
        case Step::CompressionListLength: Enter(Step::CompressionList, Number(field), 0); break;
        case Step::CompressionList: Enter(Step::ExtensionsLength, 2, 2); break;
        case Step::Choice:
            facts.cipher = static_cast<uint16_t>(Number(field, 0, 2));
            Enter(Step::ExtensionsLength, 2, 2);
            break;
        case Step::ExtensionsLength:
            extensions_left_ = Number(field);
            NextExtension(facts);
            break;
        case Step::ExtensionHeader: BeginExtension(field); break;
        case Step::Extension:
            ReadExtension(field, facts);
            NextExtension(facts);
            break;
        case Step::Stopped: break;
    }
}

void HelloReader::NextExtension(Facts& facts) {
    constexpr uint32_t header = 4;
    if ( extensions_left_ >= header ) {
        extensions_left_ -= header;
        Enter(Step::ExtensionHeader, header, header);
    }
    else if ( extensions_left_ == 0 )
        Complete(facts);
    else
        step_ = Step::Stopped;
}

void HelloReader::BeginExtension(std::string_view header) {
    extension_ = static_cast<uint16_t>(Number(header, 0, 2));
    const uint32_t length = Number(header, 2, 2);
    if ( length > extensions_left_ ) {
        step_ = Step::Stopped;
        return;
    }
    extensions_left_ -= length;
    client_.AddExtension(extension_);
    if ( IsRead(extension_) )
        EnterList(Step::Extension, length);
    else
        Enter(Step::Extension, length, 0);
}

void HelloReader::ReadExtension(std::string_view body, Facts& facts) {
    switch ( extension_ ) {
        case extension::kServerName:
            if ( sender_ == Role::Client )
                ReadServerName(body, facts);
            break;
        case extension::kSignatureAlgorithms: client_.AddSignatureAlgorithms(body); break;
        case extension::kProtocols: ReadProtocols(body, facts); break;
        case extension::kSupportedVersions: ReadVersions(body, facts); break;
        default: break;
    }
}

void HelloReader::ReadServerName(std::string_view body, Facts& facts) {
    std::string_view list;
    std::string_view name;
    if ( ! TakeVector(body, 2, list) || ! list.starts_with('\0') ) // host_name, the only type there is
        return;
    list.remove_prefix(1);
    if ( facts.sni.empty() && TakeVector(list, 2, name) && name.size() <= kMaxHostName && IsHostText(name) )
        facts.sni = name;
}

void HelloReader::ReadProtocols(std::string_view body, Facts& facts) {
    // The list may be cut at its end where it is longer than what is kept: what is whole of it counts.
    if ( body.size() < 2 )
        return;
    std::string_view list = body.substr(2, Number(body, 0, 2));
    std::string_view protocol;
    for ( bool first = true; TakeVector(list, 1, protocol); first = false ) {
        if ( first )
            client_.protocol = protocol;
        if ( facts.alpn.size() < kMaxProtocols && ! protocol.empty() && IsHostText(protocol) )
            facts.alpn.emplace_back(protocol);
    }
}

void HelloReader::ReadVersions(std::string_view body, Facts& facts) {
    if ( sender_ == Role::Server ) {
        if ( body.size() == 2 )
            facts.version = static_cast<uint16_t>(Number(body));
        return;
    }
    std::string_view list;
    if ( ! TakeVector(body, 1, list) )
        return;
    uint16_t highest = 0;
    for ( ; list.size() >= 2; list.remove_prefix(2) ) {
        const auto version = static_cast<uint16_t>(Number(list, 0, 2));
        if ( ! IsGrease(version) )
            highest = std::max(highest, version);
    }
    if ( highest != 0 )
        facts.version = client_.version = highest;
}

void HelloReader::Complete(Facts& facts) {
    step_ = Step::Stopped;
    if ( sender_ == Role::Client )
        facts.ja4 = Ja4(std::move(client_));
}

} // namespace mailtap::decoder::tls
