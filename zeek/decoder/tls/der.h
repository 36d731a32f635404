// Reads DER (ITU-T X.690), as far as certificates need it.

#pragma once

#include <cstdint>
#include <string_view>

namespace mailtap::decoder::tls::der {

// Tags of one octet; certificates have no others.
constexpr uint8_t kBoolean = 0x01;
constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kOctetString = 0x04;
constexpr uint8_t kObjectIdentifier = 0x06;
constexpr uint8_t kUtf8String = 0x0c;
constexpr uint8_t kUtcTime = 0x17;
constexpr uint8_t kGeneralizedTime = 0x18;
constexpr uint8_t kUniversalString = 0x1c;
constexpr uint8_t kBmpString = 0x1e;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kSet = 0x31;

constexpr uint8_t ContextPrimitive(uint8_t number) { return static_cast<uint8_t>(0x80 | number); }
constexpr uint8_t ContextConstructed(uint8_t number) { return static_cast<uint8_t>(0xa0 | number); }

struct Element {
    uint8_t tag = 0;
    std::string_view content;
    std::string_view whole; // with tag and length
};

// Cuts the first element off `bytes`. False when it isn't whole, or its length isn't definite: then nothing is taken.
bool Take(std::string_view& bytes, Element& element);

// The same, and false too when the element has another tag.
bool Take(std::string_view& bytes, uint8_t tag, Element& element);

} // namespace mailtap::decoder::tls::der
