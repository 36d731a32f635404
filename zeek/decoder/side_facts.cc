#include "side_facts.h"

#include "limits.h"
#include "text.h"

namespace mailtap::decoder {

void SideFacts::CountCommand(std::string_view verb) {
    ++commands;
    last_command = ToUpper(verb);
    plain_after_request |= starttls_requested;
}

void SideFacts::LogCommand(CommandKind kind) {
    if ( command_log.size() < kMaxExchangeLog )
        command_log.push_back(kind);
}

void SideFacts::LogTag(uint32_t tag) {
    if ( recent_tags.size() == kMaxRecentTags )
        recent_tags.erase(recent_tags.begin());
    recent_tags.push_back(tag);
}

void SideFacts::LogReply(uint16_t code) {
    if ( reply_log.size() < kMaxExchangeLog )
        reply_log.push_back({.code = code});
}

void SideFacts::LogTaggedReply(Reply reply) {
    if ( reply_log.size() < kMaxTaggedReplies )
        reply_log.push_back(reply);
}

} // namespace mailtap::decoder
