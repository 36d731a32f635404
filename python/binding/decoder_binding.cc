#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "decoder/facts_fields.h"
#include "decoder/session.h"

namespace nb = nanobind;

namespace mailtap::binding {

namespace {

using decoder::Side;

nb::bytes ToBytes(const std::string& text) { return nb::bytes(text.data(), text.size()); }

// The record's names are text, the wire's strings are bytes.
struct FieldWriter {
    nb::dict& dict;

    void operator()(const char* name, std::string_view text) const { dict[name] = text; }
    void operator()(const char* name, const std::string& bytes) const { dict[name] = ToBytes(bytes); }
    void operator()(const char* name, uint64_t count) const { dict[name] = count; }
    void operator()(const char* name, bool flag) const { dict[name] = flag; }
    void operator()(const char* name, const std::optional<int64_t>& seconds) const { dict[name] = seconds; }
    void operator()(const char* name, const std::optional<bool>& flag) const { dict[name] = flag; }
    void operator()(const char* name, const std::vector<std::string>& strings) const {
        nb::list list;
        for ( const std::string& bytes : strings )
            list.append(ToBytes(bytes));
        dict[name] = list;
    }
};

// Everything the decoder says, under the record's names; and what the record doesn't show.
nb::dict ToDict(const decoder::Facts& facts) {
    nb::dict dict;
    dict["client"] = facts.client;
    dict["roles_by_content"] = facts.roles_by_content;
    dict["http"] = facts.http;
    VisitFields(facts, FieldWriter{dict});
    return dict;
}

// The decoder's session with the mail ports it refers to.
class Decoder {
public:
    Decoder(uint16_t orig_port, uint16_t resp_port, bool midstream)
        : session_(kPorts, {orig_port, resp_port, midstream}) {}

    void Data(Side side, const nb::bytes& bytes) { session_.Data(side, Octets(bytes)); }
    void Gap(Side side, uint64_t length) { session_.Gap(side, length); }
    nb::dict Facts(bool orig_seen, bool resp_seen) const { return ToDict(session_.Result(orig_seen, resp_seen)); }
    bool Done() const { return session_.Done(); }
    std::size_t Memory() const { return session_.Memory(); }
    std::string_view Certain() const { return Name(session_.Certain()); }
    bool TlsStarted() const { return session_.TlsStarted(); }

private:
    inline static const decoder::Ports kPorts;
    decoder::Session session_;
};

} // namespace

void BindDecoder(nb::module_& module) {
    nb::enum_<Side>(module, "Side", "A TCP direction.").value("ORIG", Side::Orig).value("RESP", Side::Resp);

    nb::class_<Decoder>(module, "Decoder", "The decoder of one TCP session.")
        .def(nb::init<uint16_t, uint16_t, bool>(), nb::arg("orig_port"), nb::arg("resp_port"),
             nb::arg("midstream") = false)
        .def("data", &Decoder::Data, nb::arg("side"), nb::arg("data"), "Feed bytes of a side, in stream order.")
        .def("gap", &Decoder::Gap, nb::arg("side"), nb::arg("length"),
             "Tell of bytes of a side that will never come; 0 when their number isn't known.")
        .def("facts", &Decoder::Facts, nb::arg("orig_seen") = true, nb::arg("resp_seen") = true,
             "The facts so far, under the session record's names. Unset ones are empty; strings are bytes.")
        .def_prop_ro("done", &Decoder::Done, "Whether more bytes can't change the facts.")
        .def_prop_ro("memory", &Decoder::Memory, "Bytes held now.")
        .def_prop_ro("certain", &Decoder::Certain, "The service as far as it is certain by now, else empty.")
        .def_prop_ro("tls_started", &Decoder::TlsStarted, "Whether TLS was seen to start after an upgrade.");

    module.attr("MAX_SESSION_BYTES") = decoder::kMaxSessionBytes;
}

} // namespace mailtap::binding
