#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel/rsa/rsa.hpp"

/// Lane forms: numbers in limbs of 52 bits, least significant first, as the lanes multiply them.
namespace octavo::kernel::rsa {

using Limb = std::uint64_t;

inline constexpr int kLimbBits = 52;
inline constexpr Limb kLimbMask = (Limb{1} << kLimbBits) - 1;
/// Limbs are worked on ten at a time: 1024 bits are 20 limbs, 1536 are 30, 2048 are 40, 3072 are 60, 4096 are 80.
inline constexpr int kBlock = 10;
inline constexpr int kMaxPublicLimbs = 80;
inline constexpr int kMaxHalfLimbs = kMaxPublicLimbs / 2;

constexpr int limbs_for_bits(std::size_t bits) noexcept { return static_cast<int>(bits / 512) * kBlock; }

/// The window of secret exponents: 13 digits of 4 bits to a limb. The 16 entries of its table fit the first cache, which those of
/// 5 bits do not, and that costs more than the multiplications it saves.
inline constexpr int kWindowBits = 4;
inline constexpr int kTableSize = 1 << kWindowBits;
inline constexpr int kDigitsPerLimb = kLimbBits / kWindowBits;

/// An odd modulus n and what Montgomery multiplication by R = 2^(52 L) needs of it, L its limbs.
///   n        the modulus
///   m        (n k + 1) / 2^52 with k = -1/n mod 2^52: adding q m to t >> 52 divides t by 2^52 modulo n, where q = t mod 2^52
///   k        see m
///   one      R mod n
///   enter    what brings a number into the Montgomery domain: R^2 mod n in a public key, R^3 mod n in a half
template <int kLimbs>
struct ModulusForm {
    Limb n[kLimbs], m[kLimbs], one[kLimbs], enter[kLimbs];
    Limb k;
};

struct PublicForm {
    ModulusForm<kMaxPublicLimbs> modulus;
    Limb e;
};

/// One prime and its exponent (dp or dq).
struct HalfForm {
    ModulusForm<kMaxHalfLimbs> modulus;
    Limb exponent[kMaxHalfLimbs];
};

struct PrivateForm {
    PublicForm pub;
    HalfForm p, q;
    Limb qinv[kMaxHalfLimbs];  // qinv R mod p
};

}  // namespace octavo::kernel::rsa
