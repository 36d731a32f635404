#include "facts.h"

namespace mailtap::decoder {

std::string_view Name(Service service) {
    switch ( service ) {
        case Service::Smtp: return "smtp";
        case Service::Pop3: return "pop3";
        case Service::Imap: return "imap";
        case Service::None: break;
    }
    return {};
}

std::string_view Name(StartTls step) {
    switch ( step ) {
        case StartTls::None: return "none";
        case StartTls::Offered: return "offered";
        case StartTls::Requested: return "requested";
        case StartTls::Refused: return "refused";
        case StartTls::Accepted: return "accepted";
        case StartTls::Tls: return "tls";
    }
    return {};
}

std::string_view Name(Tunnel tunnel) {
    switch ( tunnel ) {
        case Tunnel::Http: return "http";
        case Tunnel::Socks: return "socks";
        case Tunnel::None: break;
    }
    return {};
}

std::string_view Name(AuthResult result) {
    switch ( result ) {
        case AuthResult::Success: return "success";
        case AuthResult::Failure: return "failure";
        case AuthResult::Unknown: break;
    }
    return {};
}

std::string_view Name(Stage stage) {
    switch ( stage ) {
        case Stage::Connect: return "connect";
        case Stage::Greeting: return "greeting";
        case Stage::Hello: return "hello";
        case Stage::Auth: return "auth";
        case Stage::Envelope: return "envelope";
        case Stage::Data: return "data";
        case Stage::Delivered: return "delivered";
        case Stage::Retrieved: return "retrieved";
        case Stage::Logout: return "logout";
    }
    return {};
}

std::string_view Name(EmptyCause cause) {
    switch ( cause ) {
        case EmptyCause::StartTls: return "starttls";
        case EmptyCause::ServerSideOnly: return "server_side_only";
        case EmptyCause::ClientSideOnly: return "client_side_only";
        case EmptyCause::Refused: return "refused";
        case EmptyCause::GreetingOnly: return "greeting_only";
        case EmptyCause::HelloOnly: return "hello_only";
        case EmptyCause::LoginOnly: return "login_only";
        case EmptyCause::Aborted: return "aborted";
        case EmptyCause::NoMessage: return "no_message";
        case EmptyCause::None: break;
    }
    return {};
}

std::string_view DecodeAs(const Facts& facts) {
    if ( facts.http )
        return "HTTP";
    if ( facts.implicit_tls )
        return "SSL";
    return facts.service != Service::None ? "MAIL" : "BASE";
}

} // namespace mailtap::decoder
