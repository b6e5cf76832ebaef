#pragma once

#include <cstdint>
#include <span>

namespace octavo {

/// Borrowed bytes; big numbers are big-endian unless a declaration says otherwise.
using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

/// Drops leading zero bytes. Its time depends on the number of leading zeros.
inline Bytes without_leading_zeros(Bytes number) noexcept {
    while (!number.empty() && number.front() == 0) number = number.subspan(1);
    return number;
}

/// Width in bits of a big-endian number; 0 for zero. Its time depends on leading zeros and on the top byte.
inline std::size_t bit_length(Bytes number) noexcept {
    number = without_leading_zeros(number);
    if (number.empty()) return 0;
    return number.size() * 8 - static_cast<std::size_t>(__builtin_clz(number.front()) - 24);
}

}  // namespace octavo
