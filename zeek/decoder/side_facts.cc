#include "side_facts.h"

#include <algorithm>
#include <utility>

#include "limits.h"
#include "phrases.h"
#include "text.h"

namespace mailtap::decoder {

void SideFacts::CountCommand(std::string_view verb) {
    ++commands;
    last_command = ToUpper(verb);
    plain_after_request |= starttls_requested;
    plain_after_last_request |= starttls_requested;
}

void SideFacts::NoteAfterAccept(bool failure, std::string_view text) {
    if ( ! starttls_accepted )
        return;
    plain_after_accept |= ! failure;
    failed_after_accept |= failure;
    tls_failure_after_accept |= failure && RefusesTls(text);
}

void SideFacts::LogCommand(CommandKind kind) {
    if ( command_log.size() < kMaxExchangeLog )
        command_log.push_back(kind);
}

CommandTag SideFacts::LogTag(uint32_t tag) {
    const auto earlier = static_cast<std::size_t>(std::count(recent_tags.begin(), recent_tags.end(), tag));
    // A tag that was used before may have been used more often than is remembered.
    const bool full = recent_tags.size() == kMaxRecentTags;
    if ( full )
        recent_tags.erase(recent_tags.begin());
    recent_tags.push_back(tag);
    return {.set = earlier == 0 || ! full, .tag = tag, .earlier = earlier};
}

void SideFacts::LogReply(uint16_t code) {
    if ( reply_log.size() < kMaxExchangeLog )
        reply_log.push_back({.code = code});
}

void SideFacts::LogTaggedReply(Reply reply) {
    if ( reply_log.size() < kMaxTaggedReplies )
        reply_log.push_back(reply);
}

std::size_t SideFacts::Memory() const {
    auto heap = [](const std::string& text) { return text.capacity() > 15 ? text.capacity() + 1 : 0; };
    auto set = [&heap](const std::vector<std::string>& texts) {
        std::size_t bytes = texts.capacity() * sizeof(std::string);
        for ( const auto& text : texts )
            bytes += heap(text);
        return bytes;
    };
    std::size_t bytes = 0;
    for ( const auto* texts : {&from, &to, &mailfrom, &rcptto} )
        bytes += set(*texts);
    for ( const auto* text : {&subject, &msg_id, &user_agent, &tunnel_user_agent, &helo, &auth, &user, &last_command,
                              &last_reply, &last_reply_tag, &banner} )
        bytes += heap(*text);
    return bytes + reply_log.capacity() * sizeof(Reply) + command_log.capacity() * sizeof(CommandKind) +
           recent_tags.capacity() * sizeof(uint32_t);
}

SideFactsMark::SideFactsMark(const SideFacts& facts)
    : facts_(facts), from_(facts.from.size()), to_(facts.to.size()), mailfrom_(facts.mailfrom.size()),
      rcptto_(facts.rcptto.size()) {
    for ( auto* set : {&facts_.from, &facts_.to, &facts_.mailfrom, &facts_.rcptto} )
        std::vector<std::string>().swap(*set);
}

void SideFactsMark::Restore(SideFacts& facts) const {
    SideFacts before = facts_;
    const auto shrink = [](std::vector<std::string>& set, std::size_t size) {
        set.resize(size);
        return std::move(set);
    };
    before.from = shrink(facts.from, from_);
    before.to = shrink(facts.to, to_);
    before.mailfrom = shrink(facts.mailfrom, mailfrom_);
    before.rcptto = shrink(facts.rcptto, rcptto_);
    facts = std::move(before);
}

} // namespace mailtap::decoder
