// X.509 certificates (RFC 5280), and the Certificate message that carries them up to TLS 1.2.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "facts.h"
#include "field_reader.h"

namespace mailtap::decoder::tls {

// `certificate` is one in DER. Nothing when it can't be read up to the subject.
std::optional<Certificate> ReadCertificate(std::string_view certificate);

// Fed the body of a Certificate message (RFC 5246 7.4.2). Reads the first certificate, the sender's own.
class CertificateReader {
public:
    CertificateReader();

    void Data(std::string_view bytes, Facts& facts);

    std::size_t Memory() const { return fields_.Memory(); }

private:
    enum class Step : uint8_t { ListLength, CertificateLength, Certificate, Stopped };

    FieldReader fields_;
    Step step_ = Step::ListLength;
};

} // namespace mailtap::decoder::tls
