#pragma once

#include "kernel/ec/scalar_digits.hpp"
#include "kernel/lanes/number.hpp"

/// Curve25519 and edwards25519 (RFC 7748, 4.1; RFC 8032, 5.1): constants.
namespace octavo::kernel::curve25519 {

inline constexpr int kLimbs = 5;

/// The integers modulo p = 2^255 - 19, for inversions; field_impl.hpp multiplies in another way.
struct Field {
    static constexpr int kLimbs = curve25519::kLimbs, kBits = 255;
    static constexpr auto kModulus =
        lanes::make_modulus<kLimbs>("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
};

/// The integers modulo the base point's order L = 2^252 + ...
struct Order {
    static constexpr int kLimbs = curve25519::kLimbs, kBits = 253;
    static constexpr auto kModulus =
        lanes::make_modulus<kLimbs>("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
};

/// d of -x^2 + y^2 = 1 + d x^2 y^2, 2 d, and a root of -1.
inline constexpr auto kD = lanes::from_hex<kLimbs>("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
inline constexpr auto kTwiceD =
    lanes::from_hex<kLimbs>("2406d9dc56dffce7198e80f2eef3d13000e0149a8283b156ebd69b9426b2f159");
inline constexpr auto kRootOfMinusOne =
    lanes::from_hex<kLimbs>("2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0");

/// Clamped scalars have 255 bits.
inline constexpr int kCombWidth = 6, kCombEntries = 1 << (kCombWidth - 1);
using CombDigits = ec::Digits<kCombWidth, 255>;
/// The multiples 1 to 32 of 2^(6 i) B for each window i: limbs of y + x, of y - x and of 2 d x y. Made at build time by tools/combs.
using Comb = lanes::Limb[3 * kLimbs][kCombEntries];
alignas(64) extern const Comb kComb[CombDigits::kNum];

}  // namespace octavo::kernel::curve25519
