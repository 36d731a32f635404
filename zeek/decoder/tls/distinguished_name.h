// Distinguished names (X.501) as text.

#pragma once

#include <string>
#include <string_view>

namespace mailtap::decoder::tls {

struct DistinguishedName {
    std::string text;        // in the form of RFC 2253, as OpenSSL and Zeek write it
    std::string common_name; // the last one, if it has the characters of a host name
};

// `content` is the content of a Name (RFC 5280 4.1.2.4). What can't be read of it is left out.
DistinguishedName ReadDistinguishedName(std::string_view content);

} // namespace mailtap::decoder::tls
