#pragma once

#include <cstdint>

/// Numbers in limbs of 52 bits, least significant first, and what Montgomery multiplication needs of a modulus: all of it
/// computed by the compiler.
namespace octavo::kernel::lanes {

using Limb = std::uint64_t;
__extension__ typedef unsigned __int128 Wide;

inline constexpr int kLimbBits = 52;
inline constexpr Limb kLimbMask = (Limb{1} << kLimbBits) - 1;

template <int kLimbs>
struct Number {
    Limb limb[kLimbs] = {};
};

/// From hexadecimal digits, most significant first.
template <int kLimbs>
constexpr Number<kLimbs> from_hex(const char* digits) {
    Number<kLimbs> result;
    for (; *digits != '\0'; ++digits) {
        Limb carry = static_cast<Limb>(*digits <= '9' ? *digits - '0' : *digits - 'a' + 10);
        for (Limb& limb : result.limb) {
            const Limb shifted = (limb << 4) | carry;
            limb = shifted & kLimbMask;
            carry = shifted >> kLimbBits;
        }
    }
    return result;
}

template <int kLimbs>
constexpr bool is_less(const Number<kLimbs>& a, const Number<kLimbs>& b) {
    for (int i = kLimbs - 1; i >= 0; --i)
        if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i];
    return false;
}

/// a - b, modulo 2^(52 kLimbs).
template <int kLimbs>
constexpr Number<kLimbs> minus(Number<kLimbs> a, const Number<kLimbs>& b) {
    Limb borrow = 0;
    for (int i = 0; i < kLimbs; ++i) {
        const Limb difference = a.limb[i] - b.limb[i] - borrow;
        a.limb[i] = difference & kLimbMask;
        borrow = difference >> 63;
    }
    return a;
}

/// 2^exponent modulo n; n has room for a bit more.
template <int kLimbs>
constexpr Number<kLimbs> power_of_two(int exponent, const Number<kLimbs>& n) {
    Number<kLimbs> result;
    result.limb[0] = 1;
    for (int i = 0; i < exponent; ++i) {
        Limb carry = 0;
        for (Limb& limb : result.limb) {
            const Limb doubled = (limb << 1) | carry;
            limb = doubled & kLimbMask;
            carry = doubled >> kLimbBits;
        }
        if (!is_less(result, n)) result = minus(result, n);
    }
    return result;
}

/// An odd modulus n, and for R = 2^(52 kLimbs):
///   k            -1/n mod 2^52
///   m            (n k + 1) / 2^52: adding q m to t >> 52 divides t by 2^52 modulo n, where q = t mod 2^52
///   one, square  R mod n, R^2 mod n
template <int kLimbs>
struct Modulus {
    Number<kLimbs> n, m, one, square;
    Limb k = 0;
};

template <int kLimbs>
constexpr Modulus<kLimbs> make_modulus(const char* digits) {
    Modulus<kLimbs> result;
    result.n = from_hex<kLimbs>(digits);
    Limb inverse = 1;  // each step doubles the bits that are right
    for (int i = 0; i < 6; ++i) inverse *= 2 - result.n.limb[0] * inverse;
    result.k = (~inverse + 1) & kLimbMask;
    Wide sum = 1;
    for (int i = 0; i < kLimbs; ++i) {
        sum += static_cast<Wide>(result.n.limb[i]) * result.k;
        if (i > 0) result.m.limb[i - 1] = static_cast<Limb>(sum) & kLimbMask;
        sum >>= kLimbBits;
    }
    result.m.limb[kLimbs - 1] = static_cast<Limb>(sum);
    result.one = power_of_two(kLimbBits * kLimbs, result.n);
    result.square = power_of_two(2 * kLimbBits * kLimbs, result.n);
    return result;
}

}  // namespace octavo::kernel::lanes
