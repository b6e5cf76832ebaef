#pragma once

#include "kernel/lanes/unroll.hpp"

namespace octavo::kernel::ec {

using lanes::Lanes;
using lanes::Limb;

/// Digits of eight scalars less than 2^kBits, lowest first. The top digit takes what is left above it.
template <int kWidth, int kBits>
struct Digits {
    static constexpr int kNum = (kBits + kWidth - 1) / kWidth;
    Lanes digit[kNum];
};

/// The window of points that are not known beforehand: the table of 16 entries fits the first cache.
inline constexpr int kWindow = 5;
inline constexpr int kTableSize = 1 << (kWindow - 1);

}  // namespace octavo::kernel::ec
