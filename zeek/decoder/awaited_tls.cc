#include "awaited_tls.h"

#include <algorithm>

#include "limits.h"
#include "tls.h"

namespace mailtap::decoder {

namespace {

bool HasText(std::string_view bytes) { return bytes.find_first_not_of(" \t\r\n") != std::string_view::npos; }

std::size_t FindHello(std::string_view bytes) {
    for ( std::size_t at = bytes.find('\x16'); at != std::string_view::npos; at = bytes.find('\x16', at + 1) )
        if ( IsWholeTlsHello(bytes.substr(at, kTlsHelloProbe)) )
            return at;
    return std::string_view::npos;
}

// The hello's place, or that of another record which comes first: a warning, or what follows a hello that is missing.
std::size_t FindTls(std::string_view bytes) {
    const std::size_t first = std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
    if ( bytes.size() - first >= kTlsProbe && IsTlsRecord(bytes.substr(first, kTlsProbe)) )
        return first;
    return FindHello(bytes);
}

} // namespace

void AwaitedTls::Follow(const AwaitedTls& before) {
    earlier_ = before.earlier_;
    if ( earlier_.size() < kMaxEarlierRequests )
        earlier_.push_back(before.before_);
}

std::size_t AwaitedTls::Memory() const {
    std::size_t bytes = sizeof(*this) + before_.Memory() + end_.Memory();
    for ( const SideFactsMark& mark : earlier_ )
        bytes += sizeof(mark) + mark.Memory();
    return bytes;
}

std::optional<SecretBuffer> AwaitedTls::Find(std::string_view bytes) {
    searched_ += bytes.size();
    end_.Append(bytes);
    const std::string_view all = end_.View();
    const std::size_t hello = text_ ? FindHello(all) : FindTls(all);
    const std::size_t kept = std::min(all.size(), kTlsHelloProbe - 1);
    const std::size_t before = hello == std::string_view::npos ? all.size() - kept : hello;
    text_ |= HasText(all.substr(0, before));
    SecretBuffer rest(all.substr(before));
    if ( hello != std::string_view::npos )
        return rest;
    end_.Clear();
    end_.Append(rest.View());
    return std::nullopt;
}

bool AwaitedTls::TextBefore(std::string_view start) const {
    return text_ || HasText(end_.View().substr(0, end_.View().rfind(start)));
}

} // namespace mailtap::decoder
