#include "exchange.h"

#include <algorithm>
#include <span>

#include "limits.h"

namespace mailtap::decoder {

namespace {

bool IsSuccess(uint16_t code) { return code == kOk || (code >= 200 && code < 300); }
bool IsFailure(uint16_t code) { return code == kNo || code >= 400; }

Outcome OutcomeOf(uint16_t code) {
    return IsSuccess(code) ? Outcome::Success : IsFailure(code) ? Outcome::Failure : Outcome::Unknown;
}

auto ReplyTo(const CommandTag& command, std::span<const Reply> replies) {
    std::size_t earlier = command.earlier;
    return std::find_if(replies.begin(), replies.end(),
                        [&](const Reply& reply) { return command.set && reply.tag == command.tag && earlier-- == 0; });
}

// Whether no other command and no two replies have the command's tag. Those that share one are paired by their order,
// which missing bytes disturb.
bool IsOnly(const CommandTag& command, std::span<const Reply> replies) {
    return command.earlier == 0 && std::count_if(replies.begin(), replies.end(),
                                                 [&](const Reply& reply) { return reply.tag == command.tag; }) <= 1;
}

Outcome OutcomeOf(const CommandTag& command, std::span<const Reply> replies) {
    const auto reply = ReplyTo(command, replies);
    return reply == replies.end() ? Outcome::Unknown : OutcomeOf(reply->code);
}

uint64_t RepliesAfter(const CommandTag& command, std::span<const Reply> replies) {
    const auto reply = ReplyTo(command, replies);
    return reply == replies.end() ? 0 : static_cast<uint64_t>(replies.end() - reply) - 1;
}

// Whether a client sent more commands behind the one that the server's last reply answers. Of commands that share their
// tag, replies are in their order.
bool SentBehindLastReply(std::span<const uint32_t> tags, std::span<const Reply> replies) {
    const uint32_t tag = replies.back().tag;
    auto answered =
        std::count_if(replies.begin(), replies.end(), [tag](const Reply& reply) { return reply.tag == tag; });
    const auto command =
        std::find_if(tags.begin(), tags.end(), [&](uint32_t other) { return other == tag && --answered == 0; });
    return command != tags.end() && command + 1 != tags.end();
}

// Whether `code` can answer a command of this kind: 354 only DATA, 334 and POP3's "+" only an exchange that may go on,
// 220 only STARTTLS and XCLIENT.
bool IsPlausible(CommandKind kind, uint16_t code) {
    switch ( code ) {
        case 354: return kind == CommandKind::Data;
        case 334:
        case kContinue: return kind == CommandKind::Auth || kind == CommandKind::Other;
        case 220: return kind == CommandKind::StartTls || kind == CommandKind::Other;
        case 235: return kind == CommandKind::Auth;
        default: return true;
    }
}

// Walks through both logs. The greeting is the first reply, and no command's.
class Pairing {
public:
    Pairing(const SideFacts& client, const SideFacts& server) : client_(client), replies_(server.reply_log) {}

    Exchange Walk() {
        while ( command_ < client_.command_log.size() && next_ < replies_.size() &&
                Take(client_.command_log[command_]) )
            ++command_;
        // The session may have ended before the reply came.
        if ( plausible_ )
            found_.messages += Unanswered();
        bool overflow = client_.command_log.size() == kMaxExchangeLog || replies_.size() == kMaxExchangeLog;
        found_.complete = plausible_ && ! overflow;
        if ( starttls_ > 0 )
            found_.replies_after_starttls = replies_.size() - starttls_;
        found_.sent_behind_acceptance = plausible_ && ! overflow && starttls_ == replies_.size() &&
                                        found_.starttls == Outcome::Success && command_ < client_.command_log.size();
        return found_;
    }

private:
    // Pairs a command with its reply. False when that, and so everything after it, is in doubt.
    bool Take(CommandKind kind) {
        uint16_t code = replies_[next_].code;
        // A client that sends its message although DATA was refused gets a reply to each line of it.
        plausible_ = IsPlausible(kind, code) && ! (kind == CommandKind::Message && in_refused_data_);
        if ( ! plausible_ )
            return false;
        ++next_;

        switch ( kind ) {
            case CommandKind::Hello: found_.hello = OutcomeOf(code); [[fallthrough]];
            case CommandKind::Mail: recipients_ = 0; break;
            case CommandKind::StartTls:
                found_.starttls = OutcomeOf(code);
                starttls_ = next_;
                break;
            case CommandKind::Auth: found_.auth = OutcomeOf(code); break;
            case CommandKind::User:
                if ( IsFailure(code) )
                    found_.auth = Outcome::Failure;
                break;
            case CommandKind::Retrieve: found_.retrieved |= IsSuccess(code); break;
            case CommandKind::Recipient: recipients_ += IsSuccess(code); break;
            case CommandKind::Data: found_.data_refused |= IsFailure(code); break;
            case CommandKind::Message:
            case CommandKind::LastChunk: EndMessage(code); break;
            case CommandKind::Chunk:
            case CommandKind::Quit:
            case CommandKind::Other: break;
        }
        in_refused_data_ = kind == CommandKind::Data && IsFailure(code);
        return true;
    }

    uint64_t Unanswered() const {
        auto ends = [](CommandKind kind) { return kind == CommandKind::Message || kind == CommandKind::LastChunk; };
        auto rest = std::span(client_.command_log).subspan(command_);
        return static_cast<uint64_t>(std::count_if(rest.begin(), rest.end(), ends));
    }

    // LMTP answers the end of a message once for each accepted recipient (RFC 2033 4.2).
    void EndMessage(uint16_t code) {
        bool accepted = IsSuccess(code);
        for ( uint64_t i = 1; client_.lmtp && i < recipients_ && next_ < replies_.size(); ++i )
            accepted |= IsSuccess(replies_[next_++].code);
        found_.messages += accepted;
        recipients_ = 0;
    }

    const SideFacts& client_;
    std::span<const Reply> replies_;
    std::size_t command_ = 0;
    std::size_t next_ = 1;
    std::size_t starttls_ = 0; // the place behind its reply
    uint64_t recipients_ = 0;
    bool plausible_ = true;
    bool in_refused_data_ = false;
    Exchange found_;
};

} // namespace

Exchange Pair(const SideFacts& client, const SideFacts& server, bool client_lost) {
    if ( client.reading.service == Service::Imap ) {
        CommandTag starttls = client.starttls_tag;
        CommandTag auth = client.auth_tag;
        for ( CommandTag* tag : {&starttls, &auth} )
            tag->set &= ! (client_lost || server.lost) || IsOnly(*tag, server.reply_log);
        const bool accepted_last = (server.starttls_accepted || server.tls_upgrade) && ! server.reply_log.empty() &&
                                   IsSuccess(server.reply_log.back().code) && ! client_lost && ! server.lost &&
                                   server.reply_log.size() < kMaxTaggedReplies;
        return {.starttls = OutcomeOf(starttls, server.reply_log),
                .auth = OutcomeOf(auth, server.reply_log),
                .replies_after_starttls = RepliesAfter(starttls, server.reply_log),
                .sent_behind_acceptance = accepted_last && SentBehindLastReply(client.recent_tags, server.reply_log)};
    }
    if ( client_lost || server.lost || client.command_log.empty() || server.replies == 0 )
        return {};
    return Pairing(client, server).Walk();
}

} // namespace mailtap::decoder
