// The parts of the Python module mailtap._engine.

#pragma once

#include <cstdint>
#include <span>

#include <nanobind/nanobind.h>

namespace mailtap::binding {

void BindDecoder(nanobind::module_& module);
void BindEngine(nanobind::module_& module);
void BindTls(nanobind::module_& module);

inline std::span<const uint8_t> Octets(const nanobind::bytes& bytes) {
    return {static_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

} // namespace mailtap::binding
