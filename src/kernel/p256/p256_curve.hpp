#pragma once

#include "kernel/ec/scalar_digits.hpp"
#include "kernel/lanes/number.hpp"

/// The curve P-256 (FIPS 186-5; SP 800-186, 3.2.1.3) for the lanes.
namespace octavo::kernel::p256 {

/// The integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1. R = 2^260, 16 p and more.
struct Field {
    static constexpr bool kInline = true;
    static constexpr int kLimbs = 5, kBits = 256;
    static constexpr auto kModulus =
        lanes::make_modulus<kLimbs>("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");

    /// Subtracts p times (the number / 2^256, rounded down, less 1).
    template <typename V>
    [[gnu::always_inline]] static void make_positive(V (&x)[kLimbs]) {
        const V one = V::every(1), top_bits = V::every((lanes::Limb{1} << 48) - 1);
        const V times = x[4].template signed_shifted_right<48>() - one;
        x[0] = x[0] + times;
        x[1] = x[1] - times.template shifted_left<44>();
        x[3] = x[3] - times.template shifted_left<36>();
        x[4] = (x[4] & top_bits) + one.template shifted_left<48>() + times.template shifted_left<16>();
    }
};

/// The integers modulo the group's order.
struct Order {
    static constexpr int kLimbs = 5, kBits = 256;
    static constexpr auto kModulus =
        lanes::make_modulus<kLimbs>("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
};

inline constexpr int kCombWidth = 6, kCombEntries = 1 << (kCombWidth - 1);
using CombDigits = ec::Digits<kCombWidth, 256>;
/// The multiples 1 to 32 of 2^(6 i) G for each window i: limbs of x, then limbs of y, Montgomery form. Made at build time by
/// tools/combs.
using Comb = lanes::Limb[2 * Field::kLimbs][kCombEntries];
alignas(64) extern const Comb kComb[CombDigits::kNum];

/// What the lanes ask of a curve.
struct Curve {
    using Field = p256::Field;
    using Order = p256::Order;
    using CombDigits = p256::CombDigits;
    using WindowDigits = ec::Digits<ec::kWindow, 256>;
    static constexpr int kLen = 32, kCombEntries = p256::kCombEntries;
    static constexpr auto kB =
        lanes::from_hex<Field::kLimbs>("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
    static const Comb* comb() noexcept { return kComb; }
};

}  // namespace octavo::kernel::p256
