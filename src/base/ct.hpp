#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace octavo::ct {

/// True where a < b, both big-endian and of the same length. Its time depends on the length alone.
inline bool less(Bytes a, Bytes b) noexcept {
    std::uint32_t borrow = 0;
    for (std::size_t i = a.size(); i-- > 0;) borrow = (static_cast<std::uint32_t>(a[i]) - b[i] - borrow) >> 31;
    return borrow != 0;
}

}  // namespace octavo::ct
