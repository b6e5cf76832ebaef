#include "frontend/bridge/ecdsa_der.hpp"

#include <algorithm>

namespace octavo::bridge {
namespace {

constexpr std::uint8_t kSequence = 0x30, kInteger = 0x02, kLongLength = 0x81;
constexpr std::uint8_t kSignBit = 0x80;

using Bytes = std::span<const std::uint8_t>;

/// As DER has it: no leading zeros but the one that keeps it positive.
struct Integer {
    Bytes number;
    std::size_t pad;

    explicit Integer(Bytes padded) : number(padded) {
        while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
        pad = number[0] >= kSignBit ? 1 : 0;
    }
    std::size_t len() const { return pad + number.size(); }
    std::uint8_t* write(std::uint8_t* out) const {
        *out++ = kInteger;
        *out++ = static_cast<std::uint8_t>(len());
        if (pad != 0) *out++ = 0;
        return std::copy(number.begin(), number.end(), out);
    }
};

/// Takes the next integer from the front of `der`.
bool read_integer(Bytes& der, std::span<std::uint8_t> out) {
    if (der.size() < 3 || der[0] != kInteger || der[1] == 0 || der[1] >= kSignBit || der.size() < 2U + der[1])
        return false;
    auto number = der.subspan(2, der[1]);
    der = der.subspan(2 + number.size());
    if (number[0] >= kSignBit) return false;
    if (number[0] == 0 && number.size() > 1) {
        if (number[1] < kSignBit) return false;
        number = number.subspan(1);
    }
    if (number.size() > out.size()) return false;
    const auto padding = static_cast<std::ptrdiff_t>(out.size() - number.size());
    std::fill(out.begin(), out.begin() + padding, std::uint8_t{0});
    std::copy(number.begin(), number.end(), out.begin() + padding);
    return true;
}

}  // namespace

std::size_t write_signature(Bytes signature, std::uint8_t* der) noexcept {
    const Integer r(signature.first(signature.size() / 2)), s(signature.subspan(signature.size() / 2));
    const auto len = 4 + r.len() + s.len();
    auto* out = der;
    *out++ = kSequence;
    // P-521 and the longest Brainpool curves have such.
    if (len >= kSignBit) *out++ = kLongLength;
    *out++ = static_cast<std::uint8_t>(len);
    return static_cast<std::size_t>(s.write(r.write(out)) - der);
}

bool read_signature(Bytes der, std::span<std::uint8_t> signature) noexcept {
    if (der.size() < 2 || der[0] != kSequence) return false;
    std::size_t header = 2, len = der[1];
    if (len == kLongLength && der.size() > 2 && der[2] >= kSignBit) {
        header = 3;
        len = der[2];
    } else if (len >= kSignBit) {
        return false;
    }
    if (der.size() != header + len) return false;
    auto rest = der.subspan(header);
    const auto half = signature.size() / 2;
    return read_integer(rest, signature.first(half)) && read_integer(rest, signature.subspan(half)) && rest.empty();
}

}  // namespace octavo::bridge
