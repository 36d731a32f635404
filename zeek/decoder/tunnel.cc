#include "tunnel.h"

#include <algorithm>

#include "text.h"

namespace mailtap::decoder {

bool IsHttpRequest(std::string_view line) {
    std::size_t method = 0;
    while ( method < line.size() && ((line[method] >= 'A' && line[method] <= 'Z') || line[method] == '_') )
        ++method;
    return method >= 3 && method < line.size() && line[method] == ' ' && line.size() > 12 &&
           line.substr(line.size() - 9, 8) == " HTTP/1.";
}

bool IsHttpResponse(std::string_view line) {
    uint64_t status = 0;
    return line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ' &&
           ParseNumber(line.substr(9, 3), status) && status >= 100 && (line.size() == 12 || line[12] == ' ');
}

Next HttpOpening::Begin(std::string_view line, SideFacts& facts) {
    *this = {};
    facts.http = true;
    std::string_view rest = line;
    std::string_view first = TakeWord(rest);
    request_ = ! first.starts_with("HTTP/");
    facts.opening_role = request_ ? Role::Client : Role::Server;
    if ( request_ ) {
        if ( first != "CONNECT" )
            return {.kind = Next::Other};
        std::string_view target = TakeWord(rest);
        uint64_t port = 0;
        std::size_t colon = target.rfind(':');
        if ( colon != std::string_view::npos && ParseNumber(target.substr(colon + 1), port) && port <= UINT16_MAX )
            facts.tunnel_port = static_cast<uint16_t>(port);
        return {};
    }
    refused_ = ! rest.starts_with('2');
    return {};
}

Next HttpOpening::HeaderLine(std::string_view line, SideFacts& facts) {
    std::size_t colon = line.find(':');
    if ( ! line.empty() && colon == std::string_view::npos )
        return {};

    std::string_view name = line.substr(0, colon);
    std::string_view value = line.empty() ? line : Trim(line.substr(colon + 1));
    if ( ! line.empty() ) {
        if ( request_ && EqualsNoCase(name, "User-Agent") )
            facts.tunnel_user_agent = Bounded(value);
        else if ( EqualsNoCase(name, "Transfer-Encoding") || (! refused_ && EqualsNoCase(name, "Content-Type")) )
            has_body_ = true;
        else if ( EqualsNoCase(name, "Content-Length") )
            has_body_ |= ! ParseNumber(value, body_length_);
        return {};
    }

    // The blank line.
    if ( request_ ) {
        facts.tunnel = Tunnel::Http;
        return {.kind = Next::Inner};
    }
    if ( has_body_ || (! refused_ && body_length_ > 0) )
        return {.kind = Next::Other};
    if ( refused_ ) // "407 Proxy Authentication Required": the client may try again
        return {.kind = Next::Skip, .length = body_length_};
    return {.kind = Next::Inner};
}

bool MayBeSocks(uint8_t first, Role role) {
    return first == 5 || (role == Role::Client ? first == 4 : role == Role::Server && first == 0);
}

namespace {

// Reads the bytes one by one; remembers when more was asked for than is there.
class Cursor {
public:
    explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

    uint8_t Byte() {
        if ( at_ >= bytes_.size() ) {
            missing_ = true;
            return 0;
        }
        return static_cast<uint8_t>(bytes_[at_++]);
    }

    void Skip(std::size_t count) {
        if ( count > bytes_.size() - at_ )
            missing_ = true;
        at_ = std::min(at_ + count, bytes_.size());
    }

    void SkipString() {
        while ( ! missing_ && Byte() != 0 ) {
        }
    }

    uint16_t Port() {
        uint16_t high = Byte();
        return static_cast<uint16_t>(high << 8 | Byte());
    }

    uint8_t Peek() const { return at_ < bytes_.size() ? static_cast<uint8_t>(bytes_[at_]) : 0; }
    bool Missing() const { return missing_; }
    std::size_t At() const { return at_; }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    bool missing_ = false;
};

constexpr SocksOpening kNot{.state = SocksOpening::Not};

SocksOpening Finish(const Cursor& cursor, uint16_t port) {
    if ( cursor.Missing() )
        return {};
    return {.state = SocksOpening::Open, .length = cursor.At(), .port = port};
}

// RFC 1928 4 and 6: the address by its type, then the port. False for an unknown type.
bool SkipAddress(Cursor& cursor, uint16_t& port) {
    switch ( cursor.Byte() ) {
        case 1: cursor.Skip(4); break;
        case 3: cursor.Skip(cursor.Byte()); break;
        case 4: cursor.Skip(16); break;
        default: return cursor.Missing();
    }
    port = cursor.Port();
    return true;
}

SocksOpening ReadClient(Cursor cursor) {
    uint16_t port = 0;
    if ( cursor.Byte() == 4 ) { // [SOCKS 4]: CONNECT, port, address, user; 4a: 0.0.0.x and a name
        if ( cursor.Byte() != 1 && ! cursor.Missing() )
            return kNot;
        port = cursor.Port();
        bool name = cursor.Byte() == 0;
        name &= cursor.Byte() == 0;
        name &= cursor.Byte() == 0;
        name &= cursor.Byte() != 0;
        cursor.SkipString();
        if ( name )
            cursor.SkipString();
        return Finish(cursor, port);
    }

    uint8_t methods = cursor.Byte();
    if ( methods == 0 && ! cursor.Missing() )
        return kNot;
    cursor.Skip(methods);
    if ( cursor.Peek() == 1 ) { // RFC 1929: user and password
        cursor.Byte();
        cursor.Skip(cursor.Byte());
        cursor.Skip(cursor.Byte());
    }
    if ( (cursor.Byte() != 5 && ! cursor.Missing()) || (cursor.Byte() != 1 && ! cursor.Missing()) )
        return kNot;
    cursor.Byte();
    return SkipAddress(cursor, port) ? Finish(cursor, port) : kNot;
}

SocksOpening ReadServer(Cursor cursor) {
    uint16_t port = 0;
    if ( cursor.Byte() == 0 ) { // SOCKS 4: 0x5a grants
        if ( cursor.Byte() != 0x5a && ! cursor.Missing() )
            return kNot;
        cursor.Skip(6);
        return Finish(cursor, 0);
    }

    uint8_t method = cursor.Byte();
    if ( method == 2 ) { // RFC 1929: version and status
        if ( (cursor.Byte() != 1 && ! cursor.Missing()) || (cursor.Byte() != 0 && ! cursor.Missing()) )
            return kNot;
    }
    else if ( method != 0 )
        return kNot;
    if ( (cursor.Byte() != 5 && ! cursor.Missing()) || (cursor.Byte() != 0 && ! cursor.Missing()) )
        return kNot;
    cursor.Byte();
    return SkipAddress(cursor, port) ? Finish(cursor, 0) : kNot;
}

} // namespace

SocksOpening ReadSocks(std::string_view bytes, Role role) {
    return role == Role::Client ? ReadClient(Cursor(bytes)) : ReadServer(Cursor(bytes));
}

} // namespace mailtap::decoder
