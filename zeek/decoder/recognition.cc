#include "recognition.h"

#include "imap.h"
#include "pop3.h"
#include "smtp.h"

namespace mailtap::decoder {

namespace {

constexpr uint16_t kWeakLinesSuffice = 4; // lines of this weight together name a protocol on any port

} // namespace

Weight WeightOf(Service service, Role role, std::string_view line) {
    bool client = role == Role::Client;
    switch ( service ) {
        case Service::Smtp: return client ? smtp::ClientWeight(line) : smtp::ServerWeight(line);
        case Service::Pop3: return client ? pop3::ClientWeight(line) : pop3::ServerWeight(line);
        case Service::Imap: return client ? imap::ClientWeight(line) : imap::ServerWeight(line);
        case Service::None: break;
    }
    return kNone;
}

Reading Read(std::string_view line, const Presumption& presumption) {
    Reading best;
    int best_score = 0;
    for ( Service service : {Service::Smtp, Service::Pop3, Service::Imap} )
        for ( Role role : {Role::Client, Role::Server} ) {
            Weight weight = WeightOf(service, role, line);
            Service usual = role == Role::Client ? presumption.as_client : presumption.as_server;
            int score = weight == kNone ? 0 : 2 * weight + (service == usual);
            if ( score > best_score ) {
                best_score = score;
                best = {.service = service, .role = role, .weight = weight};
            }
        }
    return best;
}

bool IsGreeting(const Reading& reading, std::string_view line) {
    if ( reading.role != Role::Server )
        return false;
    switch ( reading.service ) {
        case Service::Smtp: return smtp::IsGreeting(line);
        case Service::Pop3: return pop3::IsGreeting(line);
        case Service::Imap: return imap::IsGreeting(line);
        case Service::None: break;
    }
    return false;
}

bool Presumption::Contradicts(Role candidate) const {
    if ( role != Role::Unknown )
        return candidate != role;
    bool client_port = as_client != Service::None && as_server == Service::None;
    bool server_port = as_server != Service::None && as_client == Service::None;
    return candidate == Role::Client ? server_port : client_port;
}

bool Recognised(const SideFacts& facts, const SideFacts* peer, bool midstream, Service port_service) {
    const Reading& taken = facts.reading;
    if ( taken.service == Service::None )
        return false;
    bool usual_port = taken.service == port_service;
    // The line may as well be the other side's, in the other role.
    bool agreed = peer && peer->reading.service == taken.service && peer->reading.role != taken.role;
    int weight = facts.weight_sum + (agreed ? peer->weight_sum : 0);
    bool from_middle = facts.found_late || (midstream && ! facts.greeting_seen);
    if ( taken.weight == kStrong )
        return usual_port || ! from_middle || weight >= kCertain || facts.tls_upgrade;
    bool pop3_server = taken.service == Service::Pop3 && taken.role == Role::Server;
    if ( facts.strange || (pop3_server && ! facts.worded) )
        return false;
    bool both_agree = agreed && ! peer->strange && weight >= kCertain;
    if ( facts.doubtful )
        return both_agree && facts.weight_sum > kWeak && peer->weight_sum > kWeak;
    if ( usual_port || both_agree )
        return true;
    return taken.weight == kMedium && (facts.weight_sum >= kWeakLinesSuffice || facts.tls_upgrade);
}

} // namespace mailtap::decoder
