#include "certificate.h"

#include <arpa/inet.h>

#include <array>

#include "bytes.h"
#include "decoder/text.h"
#include "der.h"
#include "der_time.h"
#include "distinguished_name.h"
#include "limits.h"

namespace mailtap::decoder::tls {

namespace {

constexpr std::size_t kLengthBytes = 3; // of lengths in a Certificate message

constexpr std::string_view kSubjectAltName = "\x55\x1d\x11"; // 2.5.29.17

std::optional<int64_t> TakeTime(std::string_view& validity) {
    der::Element time;
    if ( ! der::Take(validity, time) )
        return {};
    return ReadTime(time);
}

void AddIpAddress(std::vector<std::string>& names, std::string_view address) {
    const bool v4 = address.size() == sizeof(in_addr);
    if ( ! v4 && address.size() != sizeof(in6_addr) )
        return;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(v4 ? AF_INET : AF_INET6, address.data(), text.data(), text.size());
    AddToSet(names, text.data());
}

// `value` is an extension's: the DER of GeneralNames (RFC 5280 4.2.1.6).
void ReadSubjectAltName(std::string_view value, std::vector<std::string>& names) {
    constexpr uint8_t dns_name = der::ContextPrimitive(2);
    constexpr uint8_t ip_address = der::ContextPrimitive(7);
    der::Element list;
    der::Element name;
    if ( ! der::Take(value, der::kSequence, list) )
        return;
    while ( names.size() < kMaxAddresses && der::Take(list.content, name) ) {
        if ( name.tag == dns_name && name.content.size() <= kMaxHostName && IsHostText(name.content) )
            AddToSet(names, name.content);
        else if ( name.tag == ip_address )
            AddIpAddress(names, name.content);
    }
}

// `extensions` is the content of the certificate's [3].
void ReadExtensions(std::string_view extensions, std::vector<std::string>& names) {
    der::Element list;
    der::Element extension;
    der::Element part;
    if ( ! der::Take(extensions, der::kSequence, list) )
        return;
    while ( der::Take(list.content, der::kSequence, extension) ) {
        if ( ! der::Take(extension.content, der::kObjectIdentifier, part) || part.content != kSubjectAltName )
            continue;
        der::Take(extension.content, der::kBoolean, part); // critical
        if ( der::Take(extension.content, der::kOctetString, part) )
            ReadSubjectAltName(part.content, names);
    }
}

} // namespace

std::optional<Certificate> ReadCertificate(std::string_view certificate) {
    der::Element outer;
    der::Element body;
    if ( ! der::Take(certificate, der::kSequence, outer) || ! der::Take(outer.content, der::kSequence, body) )
        return {};

    std::string_view rest = body.content;
    der::Element unread; // version, serial number, signature algorithm
    der::Element issuer;
    der::Element validity;
    der::Element subject;
    der::Take(rest, der::ContextConstructed(0), unread);
    if ( ! der::Take(rest, der::kInteger, unread) || ! der::Take(rest, der::kSequence, unread) ||
         ! der::Take(rest, der::kSequence, issuer) || ! der::Take(rest, der::kSequence, validity) ||
         ! der::Take(rest, der::kSequence, subject) )
        return {};

    const DistinguishedName subject_name = ReadDistinguishedName(subject.content);
    Certificate facts;
    facts.subject = subject_name.text;
    facts.issuer = ReadDistinguishedName(issuer.content).text;
    facts.self_signed = issuer.whole == subject.whole;
    facts.not_before = TakeTime(validity.content);
    facts.not_after = TakeTime(validity.content);

    der::Element element; // the key, identifiers, extensions
    while ( der::Take(rest, element) )
        if ( element.tag == der::ContextConstructed(3) )
            ReadExtensions(element.content, facts.names);
    if ( facts.names.empty() )
        AddToSet(facts.names, subject_name.common_name);
    return facts;
}

CertificateReader::CertificateReader() : fields_(kLengthBytes) {}

void CertificateReader::Data(std::string_view bytes, Facts& facts) {
    std::string_view field;
    while ( step_ != Step::Stopped && fields_.Take(bytes, field) ) {
        switch ( step_ ) {
            case Step::ListLength:
                fields_.Expect(kLengthBytes, kLengthBytes);
                step_ = Step::CertificateLength;
                break;
            case Step::CertificateLength: {
                const std::size_t length = Number(field);
                fields_.Expect(length, length);
                step_ = length <= kMaxCertificate ? Step::Certificate : Step::Stopped;
                break;
            }
            case Step::Certificate:
                facts.certificate = ReadCertificate(field);
                fields_ = FieldReader(0); // the certificate's octets go
                step_ = Step::Stopped;
                break;
            case Step::Stopped: break;
        }
    }
}

} // namespace mailtap::decoder::tls
