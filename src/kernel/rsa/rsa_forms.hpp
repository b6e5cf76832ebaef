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

/// The exponent window: digits of 5 bits, ten to a word of 50 bits, so that none straddles two words.
inline constexpr int kWindowBits = 5;
inline constexpr int kDigitsPerWord = 10;
inline constexpr int kMaxExponentWords = 41;  // ceil(2048 / 50)

constexpr int digits_for_bits(int bits) noexcept { return (bits + kWindowBits - 1) / kWindowBits; }

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

/// One prime: its modulus, its exponent (dp or dq) in words of ten windows.
struct HalfForm {
    ModulusForm<kMaxHalfLimbs> modulus;
    Limb exponent[kMaxExponentWords];
};

struct PrivateForm {
    PublicForm pub;
    HalfForm p, q;
    Limb qinv[kMaxHalfLimbs];  // qinv R mod p
};

}  // namespace octavo::kernel::rsa
