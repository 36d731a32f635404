// Fuzzes the TLS reader. The input is a schedule: operations of two bytes each, with their data: whether bytes or a gap
// come, whether the bytes are a stream's own or one handshake message that records are made for, and how many.
//
// Laws that must hold for any input: memory stays within its bound; the facts don't depend on how the bytes are cut;
// texts are printable ASCII; what is done stays as it is.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/tls/limits.h"
#include "decoder/tls/names.h"
#include "decoder/tls/reader.h"

namespace {

using mailtap::decoder::tls::CipherName;
using mailtap::decoder::tls::Facts;
using mailtap::decoder::tls::kMaxReaderBytes;
using mailtap::decoder::tls::Reader;
using mailtap::decoder::tls::VersionName;

constexpr uint8_t kHandshake = 22;

struct Operation {
    bool gap = false;
    std::string bytes; // of a gap only their number counts
};

[[noreturn]] void Fail(const char* law) {
    std::fprintf(stderr, "broken law: %s\n", law);
    std::abort();
}

void AppendNumber(std::string& text, std::size_t number, int bytes) {
    for ( int shift = 8 * (bytes - 1); shift >= 0; shift -= 8 )
        text += static_cast<char>(number >> shift);
}

// A handshake message of the type that comes first in `content`, in a record of its own.
std::string AsMessage(std::string_view content) {
    std::string text = {static_cast<char>(kHandshake), 3, 3};
    const char type = content.empty() ? '\0' : content.front();
    const std::string_view body = content.substr(std::min<std::size_t>(1, content.size()));
    AppendNumber(text, body.size() + 4, 2);
    text += type;
    AppendNumber(text, body.size(), 3);
    return text.append(body);
}

std::vector<Operation> ReadSchedule(std::string_view input) {
    constexpr uint8_t gap = 1, message = 2;
    std::vector<Operation> schedule;
    while ( input.size() >= 2 ) {
        const auto code = static_cast<uint8_t>(input[0]);
        const std::size_t length = static_cast<std::size_t>(code >> 2) << 8 | static_cast<uint8_t>(input[1]);
        const std::string_view content = input.substr(2, length);
        input.remove_prefix(2 + content.size());
        schedule.push_back({(code & gap) != 0, code & message ? AsMessage(content) : std::string(content)});
    }
    return schedule;
}

Facts Feed(const std::vector<Operation>& schedule, std::size_t step) {
    Reader reader;
    for ( const Operation& operation : schedule ) {
        if ( operation.gap )
            reader.Gap(operation.bytes.size());
        else
            for ( std::size_t at = 0; at < operation.bytes.size(); at += step ) {
                reader.Data(std::string_view(operation.bytes).substr(at, step));
                if ( reader.Memory() > kMaxReaderBytes )
                    Fail("memory bound");
            }
    }
    return reader.Result();
}

std::string Text(const Facts& facts) {
    std::string text;
    auto add = [&text](const std::string& value) {
        if ( ! std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; }) )
            Fail("printable texts");
        text.append(value).append(1, '\n');
    };
    auto time = [&add](std::optional<int64_t> seconds) { add(seconds ? std::to_string(*seconds) : "unset"); };
    add(facts.version ? VersionName(*facts.version) : "");
    add(facts.cipher ? CipherName(*facts.cipher) : "");
    add(facts.sni);
    add(facts.ja4);
    for ( const std::string& protocol : facts.alpn )
        add(protocol);
    if ( const auto& certificate = facts.certificate ) {
        add(certificate->subject);
        add(certificate->issuer);
        for ( const std::string& name : certificate->names )
            add(name);
        time(certificate->not_before);
        time(certificate->not_after);
        add(certificate->self_signed ? "self-signed" : "");
    }
    for ( const int number : {static_cast<int>(facts.sender), static_cast<int>(facts.alert), int{facts.alert_level},
                              int{facts.alert_description}, static_cast<int>(facts.ending), int{facts.hello_retry},
                              int{facts.change_cipher_spec}, int{facts.application_data}} )
        add(std::to_string(number));
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
    const auto schedule = ReadSchedule({reinterpret_cast<const char*>(data), size});
    const std::string whole = Text(Feed(schedule, SIZE_MAX / 2));
    const std::string cut = Text(Feed(schedule, 1));
    if ( whole != cut ) {
        std::fprintf(stderr, "whole:\n%s\ncut:\n%s\n", whole.c_str(), cut.c_str());
        Fail("cut");
    }
    return 0;
}
