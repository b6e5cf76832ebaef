#pragma once

#include "kernel/rsa/rsa_forms.hpp"

namespace octavo::cli {

/// The products of a Montgomery multiplication of L limbs of 52 bits, low and high halves counted: L^2 each for the operands, half of that
/// and the diagonal where they are equal; L^2 each for the reduction, whose last digit takes 3 more.
struct MontgomeryCost {
    double product, square, reduction;
    explicit MontgomeryCost(unsigned bits) noexcept {
        const double limbs = kernel::rsa::limbs_for_bits(bits);
        product = 2 * limbs * limbs;
        square = limbs * limbs + limbs;
        reduction = 2 * limbs * limbs + 3;
    }
};

/// An exponentiation with fixed windows inside Montgomery's form: a table of 2^w powers (half of them squares), then w squarings and
/// one multiplication a window.
inline double power_multiply_adds(const MontgomeryCost& cost, unsigned exponent_bits) noexcept {
    using kernel::rsa::kWindowBits;
    const unsigned windows = exponent_bits / kWindowBits;
    const double table = kernel::rsa::kTableSize - 2;
    const double squarings = kWindowBits * (windows - 1) + table / 2;
    const double products = (windows - 1) + table / 2;
    return squarings * (cost.square + cost.reduction) + products * (cost.product + cost.reduction);
}

}  // namespace octavo::cli
