#pragma once

#include <type_traits>
#include <utility>

#include "kernel/lanes/number.hpp"

namespace octavo::kernel::lanes {

inline constexpr int kLaneCount = 8;

/// A limb of eight numbers.
struct alignas(64) Lanes {
    Limb lane[kLaneCount];
};

/// f(0), ..., f(N - 1) with constants, unrolled.
template <int N, typename F>
[[gnu::always_inline]] inline void repeat(F&& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
        (f(std::integral_constant<int, I>{}), ...);
    }
    (std::make_integer_sequence<int, N>{});
}

#define OCTAVO_EACH(i) [&](auto i) __attribute__((always_inline))

}  // namespace octavo::kernel::lanes
