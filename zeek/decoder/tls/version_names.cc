#include "names.h"

namespace mailtap::decoder::tls {

std::string VersionName(uint16_t version) {
    switch ( version ) {
        case 0x0002: return "SSLv2";
        case 0x0300: return "SSLv3";
        case 0x0301: return "TLSv10";
        case 0x0302: return "TLSv11";
        case 0x0303: return "TLSv12";
        case 0x0304: return "TLSv13";
        default: break;
    }
    constexpr uint16_t draft = 0x7f00; // of TLS 1.3, with the draft's number
    if ( (version & 0xff00) == draft )
        return "TLSv13-draft" + std::to_string(version & 0xff);
    return "unknown-" + std::to_string(version);
}

} // namespace mailtap::decoder::tls
