#include "address.h"

#include <arpa/inet.h>

namespace mailtap::engine {

std::string Address::Text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
    return text.data();
}

} // namespace mailtap::engine
