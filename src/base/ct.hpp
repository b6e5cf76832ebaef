#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace octavo::ct {

/// The borrow of a - b - borrow for big-endian words of 8 bytes.
inline std::uint64_t borrow_of_word(const std::uint8_t* a, const std::uint8_t* b, std::uint64_t borrow) noexcept {
    std::uint64_t x, y;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    x = __builtin_bswap64(x), y = __builtin_bswap64(y);
    return ((~x & y) | ((~x | y) & (x - y - borrow))) >> 63;
}

/// True where a < b, both big-endian and of the same length. Its time depends on the length alone.
inline bool less(Bytes a, Bytes b) noexcept {
    std::uint64_t borrow = 0;
    std::size_t i = a.size();
    for (; i >= 8; i -= 8) borrow = borrow_of_word(&a[i - 8], &b[i - 8], borrow);
    while (i-- > 0) borrow = (std::uint64_t{a[i]} - b[i] - borrow) >> 63;
    return borrow != 0;
}

}  // namespace octavo::ct
