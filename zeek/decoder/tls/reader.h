// Reads the TLS records of one side of a connection, as far as they are in the clear: what its hello, its certificate
// and its alerts tell. No keys, no cryptography but the hash of JA4.
//
//   tls::Reader reader;
//   reader.Data(bytes);      in stream order, cut anywhere, from the first byte of the first record on
//   reader.Gap(length);      bytes that will never come; 0 when their number isn't known
//   reader.Result();         the facts so far, at any time
//   reader.Done();           more bytes can't change them: the host may stop feeding and delete the reader
//
// Whose side it is shows in the hello that comes first (Facts::sender): a ClientHello is read for SNI, ALPN, the
// highest version offered and JA4, a ServerHello for version, cipher suite and ALPN, a Certificate for the sender's
// own when a ServerHello came before it. Later hellos of the side aren't read. A client's hello in the form of SSL 2
// (RFC 5246 E.2) tells the version only.
//
// Nothing throws except std::bad_alloc, memory stays below kMaxReaderBytes, and the facts don't depend on how the
// bytes are cut.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "certificate.h"
#include "facts.h"
#include "field_reader.h"
#include "hello.h"

namespace mailtap::decoder::tls {

class Reader {
public:
    Reader();

    void Data(std::string_view bytes);
    void Gap(uint64_t length);

    const Facts& Result() const { return facts_; }
    bool Done() const { return facts_.application_data || facts_.ending != Ending::None; }

    // Heap and object bytes held now.
    std::size_t Memory() const;

private:
    void BeginRecord(std::string_view header);
    void BeginSsl2Hello(std::string_view header);
    void Content(std::string_view bytes);
    void Handshake(std::string_view bytes);
    void BeginMessage(std::string_view header);
    void EndMessage();
    void ClearAlerts(std::string_view bytes);
    void Encrypted(std::size_t length, bool alert);
    void LoseHandshake();
    void End(Ending ending);

    Facts facts_;

    FieldReader record_header_;
    uint32_t record_left_ = 0; // bytes of the record's content to come
    uint8_t record_type_ = 0;
    bool first_record_ = true;
    bool clear_alert_ = false; // the record's alerts are in the clear
    bool encrypted_ = false;   // something encrypted came

    FieldReader message_header_;
    uint32_t message_left_ = 0;   // bytes of the handshake message to come
    bool handshake_lost_ = false; // no more messages can be read
    std::variant<std::monostate, HelloReader, CertificateReader> message_;

    uint8_t alert_level_ = 0; // of an alert whose description is to come
};

} // namespace mailtap::decoder::tls
