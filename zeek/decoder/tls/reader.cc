#include "reader.h"

#include <algorithm>
#include <utility>

#include "bytes.h"
#include "decoder/limits.h"
#include "decoder/text.h"
#include "limits.h"

namespace mailtap::decoder::tls {

namespace {

// RFC 8446 B.1, RFC 6520.
enum RecordType : uint8_t {
    kChangeCipherSpec = 20,
    kAlert = 21,
    kHandshake = 22,
    kApplicationData = 23,
    kHeartbeat = 24,
};

// RFC 8446 B.3.
enum MessageType : uint8_t { kClientHello = 1, kServerHello = 2, kCertificate = 11 };

constexpr uint8_t kFatal = 2;
constexpr std::size_t kAlertLength = 2;

// Of an encrypted Finished: header and hash (40 octets in SSL 3), a MAC and an initialisation vector, or what else a
// cipher adds. A hello is longer.
constexpr std::size_t kMaxFinished = 128;

// A TLS 1.3 record that holds an alert and nothing else: its two octets, the content's type, and what the cipher adds,
// 16 octets or with AES-CCM-8 8 (RFC 8446 5.2, 6). Every other first message is longer.
constexpr bool IsEncryptedAlert(std::size_t length) {
    return length == kAlertLength + 1 + 16 || length == kAlertLength + 1 + 8;
}

// A ClientHello in the form of SSL 2: two octets of length with the first bit set, the message's type, the version
// (RFC 5246 E.2).
constexpr uint32_t kSsl2LengthBit = 0x8000;
constexpr std::size_t kSsl2LengthBytes = 2;
constexpr uint32_t kMinSsl2Hello = 9; // type, version and three lengths

uint32_t Ssl2Length(std::string_view header) { return Number(header, 0, kSsl2LengthBytes) & ~kSsl2LengthBit; }

bool IsSsl2Hello(std::string_view header) {
    const uint32_t version = Number(header, 3, 2);
    return (Number(header, 0, kSsl2LengthBytes) & kSsl2LengthBit) != 0 && header[2] == kClientHello &&
           (version == 0x0002 || version >> 8 == 3) && Ssl2Length(header) >= kMinSsl2Hello;
}

bool IsRecord(std::string_view header) {
    return header[0] >= kChangeCipherSpec && header[0] <= kHeartbeat && header[1] == 3 && header[2] >= 0 &&
           header[2] <= 4 && Number(header, 3, 2) <= kMaxRecord;
}

bool IsLineText(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return (c >= ' ' && c <= '~') || c == '\r' || c == '\n'; });
}

std::size_t TextsMemory(const std::vector<std::string>& texts) {
    std::size_t bytes = texts.capacity() * sizeof(std::string);
    for ( const std::string& text : texts )
        bytes += text.capacity();
    return bytes;
}

// The most that Memory() can add up to. A certificate's octets are gone when its facts are there, and a hello's lists
// before its certificate comes. Vectors, and texts that are put together, may have twice the capacity they need.
constexpr std::size_t kMaxTexts = 2 * sizeof(std::string);
constexpr std::size_t kMaxHelloFacts = 2 * kMaxHostName + kMaxProtocols * (kMaxTexts + kMaxHostName);
constexpr std::size_t kMaxHelloState = 3 * 2 * kMaxListed * sizeof(uint16_t) + kMaxListBytes + 2 * kMaxHostName;
constexpr std::size_t kMaxCertificateFacts = 2 * 2 * kMaxNameText + kMaxAddresses * kMaxTexts + kMaxAddressBytes;
static_assert(sizeof(Reader) + kRecordHeader + kHandshakeHeader + kMaxHelloFacts +
                      std::max({kMaxHelloState, kMaxCertificate, kMaxCertificateFacts}) <=
                  kMaxReaderBytes,
              "a side's bound holds");

} // namespace

Reader::Reader() : record_header_(kRecordHeader), message_header_(kHandshakeHeader) {}

void Reader::Data(std::string_view bytes) {
    while ( ! bytes.empty() && ! Done() ) {
        if ( record_left_ > 0 ) {
            const std::string_view content = bytes.substr(0, record_left_);
            bytes.remove_prefix(content.size());
            record_left_ -= static_cast<uint32_t>(content.size());
            Content(content);
            continue;
        }
        std::string_view header;
        if ( record_header_.Take(bytes, header) ) {
            BeginRecord(header);
            record_header_.Expect(kRecordHeader, kRecordHeader);
        }
    }
}

void Reader::Gap(uint64_t length) {
    if ( Done() )
        return;
    // A gap within a record leaves the next one's beginning known.
    if ( length == 0 || length > record_left_ ) {
        End(Ending::Lost);
        return;
    }
    record_left_ -= static_cast<uint32_t>(length);
    if ( record_type_ == kHandshake )
        LoseHandshake();
    alert_level_ = 0;
}

void Reader::BeginRecord(std::string_view header) {
    const bool first = std::exchange(first_record_, false);
    if ( first && IsSsl2Hello(header) ) {
        BeginSsl2Hello(header);
        return;
    }
    if ( ! IsRecord(header) ) {
        End(IsLineText(header) ? Ending::Text : Ending::Other);
        return;
    }

    record_type_ = static_cast<uint8_t>(header[0]);
    record_left_ = Number(header, 3, 2);
    if ( record_left_ == 0 )
        return;
    switch ( record_type_ ) {
        case kChangeCipherSpec:
            facts_.change_cipher_spec = true;
            LoseHandshake(); // in TLS 1.3 a second hello may follow, which tells nothing new
            break;
        case kAlert:
            // Encryption makes an alert longer. Before it, one record may hold several, or a part of one.
            clear_alert_ = record_left_ == kAlertLength || ! facts_.change_cipher_spec;
            if ( ! clear_alert_ )
                Encrypted(record_left_, true);
            break;
        case kHandshake:
            // Behind it, up to TLS 1.2, stands Finished; in TLS 1.3 the hello that answers a HelloRetryRequest.
            if ( facts_.change_cipher_spec && record_left_ <= kMaxFinished )
                encrypted_ = facts_.finished = true;
            break;
        case kApplicationData: Encrypted(record_left_, false); break;
        default: break;
    }
}

void Reader::BeginSsl2Hello(std::string_view header) {
    facts_.sender = Role::Client;
    facts_.version = static_cast<uint16_t>(Number(header, 3, 2));
    record_type_ = 0; // its content isn't read
    record_left_ = Ssl2Length(header) - static_cast<uint32_t>(header.size() - kSsl2LengthBytes);
}

void Reader::Content(std::string_view bytes) {
    if ( record_type_ == kHandshake )
        Handshake(bytes);
    else if ( record_type_ == kAlert && clear_alert_ )
        ClearAlerts(bytes);
}

void Reader::Handshake(std::string_view bytes) {
    while ( ! bytes.empty() && ! handshake_lost_ ) {
        if ( message_left_ > 0 ) {
            const std::string_view part = bytes.substr(0, message_left_);
            bytes.remove_prefix(part.size());
            message_left_ -= static_cast<uint32_t>(part.size());
            if ( auto* hello = std::get_if<HelloReader>(&message_) )
                hello->Data(part, facts_);
            else if ( auto* certificate = std::get_if<CertificateReader>(&message_) )
                certificate->Data(part, facts_);
            if ( message_left_ == 0 )
                EndMessage();
            continue;
        }
        std::string_view header;
        if ( message_header_.Take(bytes, header) ) {
            BeginMessage(header);
            message_header_.Expect(kHandshakeHeader, kHandshakeHeader);
        }
    }
}

void Reader::BeginMessage(std::string_view header) {
    message_left_ = Number(header, 1, 3);
    const auto type = static_cast<uint8_t>(header[0]);
    if ( facts_.sender == Role::Unknown && (type == kClientHello || type == kServerHello) ) {
        facts_.sender = type == kClientHello ? Role::Client : Role::Server;
        if ( message_left_ <= kMaxHello )
            message_.emplace<HelloReader>(facts_.sender);
    }
    else if ( type == kCertificate && facts_.sender == Role::Server && ! facts_.certificate )
        message_.emplace<CertificateReader>();
    if ( message_left_ == 0 )
        EndMessage();
}

void Reader::EndMessage() {
    if ( auto* hello = std::get_if<HelloReader>(&message_) )
        hello->End(facts_);
    message_.emplace<std::monostate>();
}

void Reader::LoseHandshake() {
    handshake_lost_ = true;
    message_left_ = 0;
    message_.emplace<std::monostate>();
}

void Reader::ClearAlerts(std::string_view bytes) {
    for ( const char c : bytes ) {
        const auto byte = static_cast<uint8_t>(c);
        if ( alert_level_ == 0 ) {
            alert_level_ = byte;
            continue;
        }
        if ( facts_.alert != Alert::Clear || facts_.alert_level != kFatal ) {
            facts_.alert = Alert::Clear;
            facts_.alert_level = alert_level_;
            facts_.alert_description = byte;
        }
        alert_level_ = 0;
    }
}

void Reader::Encrypted(std::size_t length, bool alert) {
    if ( ! alert && (encrypted_ || ! IsEncryptedAlert(length)) )
        facts_.application_data = true;
    else if ( facts_.alert == Alert::None )
        facts_.alert = Alert::Encrypted;
    encrypted_ = true;
    if ( Done() )
        LoseHandshake();
}

void Reader::End(Ending ending) {
    facts_.ending = ending;
    LoseHandshake();
}

std::size_t Reader::Memory() const {
    std::size_t bytes = sizeof(*this) + record_header_.Memory() + message_header_.Memory() + facts_.sni.capacity() +
                        facts_.ja4.capacity() + TextsMemory(facts_.alpn);
    if ( const auto& certificate = facts_.certificate )
        bytes += certificate->subject.capacity() + certificate->issuer.capacity() + TextsMemory(certificate->names);
    if ( const auto* hello = std::get_if<HelloReader>(&message_) )
        bytes += hello->Memory();
    else if ( const auto* reader = std::get_if<CertificateReader>(&message_) )
        bytes += reader->Memory();
    return bytes;
}

} // namespace mailtap::decoder::tls
