#pragma once

#include "kernel/ec/scalar_digits.hpp"
#include "kernel/lanes/number.hpp"

/// The curve P-384 (FIPS 186-5; SP 800-186, 3.2.1.4) for the lanes.
namespace octavo::kernel::p384 {

/// The integers modulo p = 2^384 - 2^128 - 2^96 + 2^32 - 1. R = 2^416.
struct Field {
    static constexpr bool kInline = false;
    static constexpr int kLimbs = 8, kBits = 384;
    static constexpr auto kModulus = lanes::make_modulus<kLimbs>(
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff");

    /// Subtracts p times (the number / 2^384, rounded down, less 1).
    template <typename V>
    [[gnu::always_inline]] static void make_positive(V (&x)[kLimbs]) {
        const V one = V::every(1), top_bits = V::every((lanes::Limb{1} << 20) - 1);
        const V times = x[7].template signed_shifted_right<20>() - one;
        x[0] = x[0] + times - times.template shifted_left<32>();
        x[1] = x[1] + times.template shifted_left<44>();
        x[2] = x[2] + times.template shifted_left<24>();
        x[7] = (x[7] & top_bits) + one.template shifted_left<20>();
    }
};

/// The integers modulo the group's order.
struct Order {
    static constexpr int kLimbs = 8, kBits = 384;
    static constexpr auto kModulus = lanes::make_modulus<kLimbs>(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");
};

inline constexpr int kCombWidth = 5, kCombEntries = 1 << (kCombWidth - 1);
using CombDigits = ec::Digits<kCombWidth, 384>;
/// The multiples 1 to 16 of 2^(5 i) G for each window i: limbs of x, then limbs of y, Montgomery form. Made at build time by
/// tools/combs.
using Comb = lanes::Limb[2 * Field::kLimbs][kCombEntries];
alignas(64) extern const Comb kComb[CombDigits::kNum];

/// What the lanes ask of a curve.
struct Curve {
    using Field = p384::Field;
    using Order = p384::Order;
    using CombDigits = p384::CombDigits;
    using WindowDigits = ec::Digits<ec::kWindow, 384>;
    static constexpr int kLen = 48, kCombEntries = p384::kCombEntries;
    static constexpr auto kB = lanes::from_hex<Field::kLimbs>(
        "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef");
    static const Comb* comb() noexcept { return kComb; }
};

}  // namespace octavo::kernel::p384
