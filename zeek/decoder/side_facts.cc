#include "side_facts.h"

#include "limits.h"
#include "text.h"

namespace mailtap::decoder {

void SideFacts::CountCommand(std::string_view verb) {
    ++commands;
    last_command = ToUpper(verb);
    plain_after_request |= starttls_requested;
}

void SideFacts::LogReply(Reply reply) {
    if ( reply_log.size() < kMaxReplyLog )
        reply_log.push_back(reply);
}

} // namespace mailtap::decoder
