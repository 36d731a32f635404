#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "decoder/tls/limits.h"
#include "decoder/tls/names.h"
#include "decoder/tls/reader.h"

namespace nb = nanobind;

namespace mailtap::binding {

namespace {

namespace tls = decoder::tls;

std::string_view Name(decoder::Role role) {
    switch ( role ) {
        case decoder::Role::Client: return "client";
        case decoder::Role::Server: return "server";
        case decoder::Role::Unknown: break;
    }
    return {};
}

std::string_view Name(tls::Alert alert) {
    switch ( alert ) {
        case tls::Alert::Clear: return "clear";
        case tls::Alert::Encrypted: return "encrypted";
        case tls::Alert::None: break;
    }
    return {};
}

std::string_view Name(tls::Ending ending) {
    switch ( ending ) {
        case tls::Ending::Text: return "text";
        case tls::Ending::Other: return "other";
        case tls::Ending::Lost: return "lost";
        case tls::Ending::None: break;
    }
    return {};
}

nb::object ToDict(const std::optional<tls::Certificate>& certificate) {
    if ( ! certificate )
        return nb::none();
    nb::dict dict;
    dict["subject"] = certificate->subject;
    dict["issuer"] = certificate->issuer;
    dict["names"] = certificate->names;
    dict["not_before"] = certificate->not_before;
    dict["not_after"] = certificate->not_after;
    dict["self_signed"] = certificate->self_signed;
    return dict;
}

nb::dict ToDict(const tls::Facts& facts) {
    nb::dict dict;
    dict["sender"] = Name(facts.sender);
    dict["version"] = facts.version ? tls::VersionName(*facts.version) : std::string();
    dict["cipher"] = facts.cipher ? tls::CipherName(*facts.cipher) : std::string();
    dict["hello_retry"] = facts.hello_retry;
    dict["sni"] = facts.sni;
    dict["alpn"] = facts.alpn;
    dict["ja4"] = facts.ja4;
    dict["certificate"] = ToDict(facts.certificate);
    dict["alert"] = Name(facts.alert);
    dict["alert_level"] = facts.alert_level;
    dict["alert_description"] = facts.alert_description;
    dict["change_cipher_spec"] = facts.change_cipher_spec;
    dict["finished"] = facts.finished;
    dict["application_data"] = facts.application_data;
    dict["ending"] = Name(facts.ending);
    return dict;
}

void Data(tls::Reader& reader, const nb::bytes& bytes) { reader.Data({bytes.c_str(), bytes.size()}); }

} // namespace

void BindTls(nb::module_& module) {
    nb::class_<tls::Reader>(module, "TlsReader", "Reads the TLS records of one side of a connection.")
        .def(nb::init<>())
        .def("data", &Data, nb::arg("data"), "Feed bytes in stream order, from the first record's first byte on.")
        .def("gap", &tls::Reader::Gap, nb::arg("length"),
             "Tell of bytes that will never come; 0 when their number isn't known.")
        .def(
            "facts", [](const tls::Reader& reader) { return ToDict(reader.Result()); },
            "The facts so far. Unset ones are empty or None.")
        .def_prop_ro("done", &tls::Reader::Done, "Whether more bytes can't change the facts.")
        .def_prop_ro("memory", &tls::Reader::Memory, "Bytes held now.");

    module.attr("MAX_TLS_READER_BYTES") = tls::kMaxReaderBytes;
}

} // namespace mailtap::binding
