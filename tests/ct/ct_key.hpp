#pragma once

#include <cstdint>

namespace octavo::ct {

/// One key and one input, as make_keys writes them and the checked program reads them: big-endian, padded with zeros in
/// front to the lengths that `bits` names, and to the arrays' ends behind.
struct Key {
    std::uint32_t bits;
    std::uint8_t e[4];
    std::uint8_t n[512], in[512];
    std::uint8_t p[256], q[256], dp[256], dq[256], qinv[256];
};

inline constexpr std::uint32_t kSizes[] = {2048, 3072, 4096};
inline constexpr int kKeysPerSize = 8;

}  // namespace octavo::ct
