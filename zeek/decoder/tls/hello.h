// ClientHello and ServerHello (RFC 8446 4.1.2, 4.1.3; RFC 5246 7.4.1), read as they come.

#pragma once

#include <cstdint>
#include <string_view>

#include "facts.h"
#include "field_reader.h"
#include "ja4.h"

namespace mailtap::decoder::tls {

// Fed the body of one handshake message. Facts are set as soon as the field that tells them is complete; what
// contradicts the message's own lengths ends the reading.
class HelloReader {
public:
    explicit HelloReader(Role sender);

    void Data(std::string_view bytes, Facts& facts);

    // The message is over.
    void End(Facts& facts);

    std::size_t Memory() const { return fields_.Memory() + client_.Memory(); }

private:
    enum class Step : uint8_t {
        Opening, // version, random, length of the session ID
        SessionId,
        CipherListLength, // these four only in a ClientHello
        CipherList,
        CompressionListLength,
        CompressionList,
        Choice, // cipher suite and compression, only in a ServerHello
        ExtensionsLength,
        ExtensionHeader,
        Extension,
        Stopped, // read to its end, or broken
    };

    void Field(std::string_view field, Facts& facts);
    void Enter(Step step, std::size_t length, std::size_t keep);
    void EnterList(Step step, std::size_t length);
    void NextExtension(Facts& facts);
    void BeginExtension(std::string_view header);
    void ReadExtension(std::string_view body, Facts& facts);
    void ReadServerName(std::string_view body, Facts& facts);
    void ReadProtocols(std::string_view body, Facts& facts);
    void ReadVersions(std::string_view body, Facts& facts);
    void Complete(Facts& facts);

    FieldReader fields_;
    ClientHello client_;
    uint32_t extensions_left_ = 0; // bytes
    uint16_t extension_ = 0;       // the type of the one that is read
    Role sender_;
    Step step_ = Step::Opening;
};

} // namespace mailtap::decoder::tls
