// Fuzzes the reader of certificates: the input is one in DER.
//
// Laws that must hold for any input: texts are printable ASCII and within their bounds, what follows a certificate
// changes nothing.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "decoder/limits.h"
#include "decoder/tls/certificate.h"
#include "decoder/tls/limits.h"

namespace {

using mailtap::decoder::kMaxAddresses;
using mailtap::decoder::tls::Certificate;
using mailtap::decoder::tls::kMaxHostName;
using mailtap::decoder::tls::kMaxNameText;
using mailtap::decoder::tls::ReadCertificate;

[[noreturn]] void Fail(const char* law) {
    std::fprintf(stderr, "broken law: %s\n", law);
    std::abort();
}

void Check(const std::string& text, std::size_t longest) {
    if ( text.size() > longest || ! std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }) )
        Fail("printable texts");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto certificate = ReadCertificate(input);
    if ( ! certificate )
        return 0;
    Check(certificate->subject, kMaxNameText);
    Check(certificate->issuer, kMaxNameText);
    if ( certificate->names.size() > kMaxAddresses )
        Fail("number of names");
    for ( const std::string& name : certificate->names )
        Check(name, kMaxHostName);
    if ( certificate->self_signed && certificate->subject != certificate->issuer )
        Fail("self-signed");

    const auto followed = ReadCertificate(std::string(input) + "more");
    if ( ! followed || followed->subject != certificate->subject || followed->names != certificate->names )
        Fail("what follows");
    return 0;
}
