#pragma once

#include "kernel/ec/point_impl.hpp"
#include "kernel/ec/scalar_digits.hpp"

/// Scalar multiplication on eight lanes. Digits are signed: a scalar k is recoded as the sum of d_i 2^(w i), -2^(w-1) <= d_i <=
/// 2^(w-1), by adding 2^(w-1) in every place and taking it away from each digit again. So a table holds 1 to 2^(w-1) times a point.
namespace octavo::kernel::ec {

/// The number with 2^(w-1) in every place.
template <int kWidth, int kNum, int kLimbs>
constexpr lanes::Number<kLimbs> half_digits() {
    lanes::Number<kLimbs> result;
    for (int i = 0; i < kNum; ++i) {
        const int bit = kWidth * i + kWidth - 1;
        result.limb[bit / lanes::kLimbBits] |= Limb{1} << (bit % lanes::kLimbBits);
    }
    return result;
}

/// k canonical. Digits are digit - 2^(w-1).
template <typename V, int kWidth, int kBits, typename F>
[[gnu::noinline]] void recode(Digits<kWidth, kBits>& digits, const Modular<V, F>& k) noexcept {
    constexpr int kNum = Digits<kWidth, kBits>::kNum, kLimbs = F::kLimbs;
    static_assert(kWidth * kNum <= lanes::kLimbBits * kLimbs);
    const auto sum = carried(k + Modular<V, F>::constant(half_digits<kWidth, kNum, kLimbs>()));
    Lanes limbs[kLimbs + 1];
    sum.store(limbs);
    V::zero().store(limbs + kLimbs);
    for (int i = 0; i < kNum; ++i) {
        const int bit = kWidth * i, shift = bit % lanes::kLimbBits;
        const Lanes* from = limbs + bit / lanes::kLimbBits;
        const V word = V::load(from).shifted_right(shift) | V::load(from + 1).shifted_left(lanes::kLimbBits - shift);
        const Limb mask = i + 1 < kNum ? (Limb{1} << kWidth) - 1 : (Limb{2} << kWidth) - 1;
        ((word & V::every(mask)) - V::every(Limb{1} << (kWidth - 1))).store(digits.digit + i);
    }
}

/// Entry index[l] of kEntries words, for every lane l, all read into registers: no address depends on the index.
template <typename V, int kEntries>
[[gnu::always_inline]] inline V select(const Limb* words, V index) {
    V found = V::pick(V::load_words(words), index, V::load_words(words + 8));
    if constexpr (kEntries == 32) {
        const V other = V::pick(V::load_words(words + 16), index, V::load_words(words + 24));
        found = V::choose(index.has_bits(V::every(16)), other, found);
    }
    static_assert(kEntries == 16 || kEntries == 32);
    return found;
}

/// p = k G for the curve's base point, from the digits of k; the answer tells where p is infinite, which is where k is 0 (mod n).
///
/// The comb has every window's multiples, so there are no doublings. Partial sums are never the next window's +-d 2^(w i): by size,
/// they are less than it, and in the top window k < n keeps them apart modulo n.
template <typename V, typename Curve>
[[gnu::noinline]] typename V::Mask multiply_base(Point<V, typename Curve::Field>& p,
                                                 const typename Curve::CombDigits& digits) noexcept {
    using Element = Modular<V, typename Curve::Field>;
    constexpr int kLimbs = Element::kLimbs, kEntries = Curve::kCombEntries;
    p = {Element::one(), Element::one(), Element::one()};
    typename V::Mask infinite = V::every(0).is_zero();
    for (int window = 0; window < Curve::CombDigits::kNum; ++window) {
        const V digit = V::load(digits.digit + window);
        const V index = digit.magnitude() - V::every(1);
        AffinePoint<V, typename Curve::Field> q;
        const auto& entries = Curve::comb()[window];
        lanes::repeat<kLimbs>(OCTAVO_EACH(i) {
            q.x.limb[i] = select<V, kEntries>(entries[i], index);
            q.y.limb[i] = select<V, kEntries>(entries[kLimbs + i], index);
        });
        const auto skip = digit.is_zero();
        add_affine(p, q, digit.is_negative(), skip, infinite);
        infinite = V::both(infinite, skip);
    }
    return infinite;
}

/// 1 to 16 times a point of each lane, affine.
template <int kLimbs>
struct WindowTable {
    Lanes x[kTableSize][kLimbs], y[kTableSize][kLimbs];
};

/// Fills the table by doublings and additions of P, then one inversion for all of it.
template <typename V, typename F>
[[gnu::noinline]] void fill_table(WindowTable<F::kLimbs>& table, const AffinePoint<V, F>& point) noexcept {
    using Element = Modular<V, F>;
    constexpr auto kNone = typename V::Mask{};
    Point<V, F> multiples[kTableSize];
    Element products[kTableSize];
    multiples[0] = {point.x, point.y, Element::one()};
    products[0] = Element::one();
    for (int i = 1; i < kTableSize; ++i) {
        multiples[i] = multiples[i % 2 == 1 ? i / 2 : i - 1];
        if (i % 2 == 1)
            double_point(multiples[i]);
        else
            add_affine(multiples[i], point, kNone, kNone, kNone);
        products[i] = multiply(products[i - 1], multiples[i].z);
    }
    Element inverse = invert(products[kTableSize - 1]);
    for (int i = kTableSize - 1; i >= 0; --i) {
        const Element z = multiply(inverse, products[i > 0 ? i - 1 : 0]);
        inverse = multiply(inverse, multiples[i].z);
        const Element zz = square(z);
        canonical(multiply(multiples[i].x, zz)).store(table.x[i]);
        canonical(multiply(multiples[i].y, multiply(z, zz))).store(table.y[i]);
    }
}

/// The entry |digit| of each lane's own table; any where the digit is 0. Reads all of it, whatever the digits.
template <typename V, typename F>
[[gnu::noinline]] void choose_entry(AffinePoint<V, F>& q, const WindowTable<F::kLimbs>& table, V size) noexcept {
    q = {Modular<V, F>::load(table.x[0]), Modular<V, F>::load(table.y[0])};
    for (int i = 1; i < kTableSize; ++i) {
        const auto here = size.equals(V::every(static_cast<Limb>(i + 1)));
        q.x = Modular<V, F>::choose(here, Modular<V, F>::load(table.x[i]), q.x);
        q.y = Modular<V, F>::choose(here, Modular<V, F>::load(table.y[i]), q.y);
    }
}

/// p = k P from the digits of k and P's table; the answer tells where p is infinite, which is where k is 0 (mod n).
///
/// A running multiple m of P meets d P with m 2^w = +-d (mod n) nowhere but in the last window and for k = n + 2 d, d < 0, where 2^w
/// divides n + d. For w = 5, -d = n mod 32 is 17 for P-256 and 19 for P-384: no digit.
template <typename V, typename Curve>
[[gnu::noinline]] typename V::Mask multiply_point(Point<V, typename Curve::Field>& p,
                                                  const typename Curve::WindowDigits& digits,
                                                  const WindowTable<Curve::Field::kLimbs>& table) noexcept {
    static_assert(Curve::Order::kModulus.n.limb[0] % (1 << kWindow) > kTableSize);
    using Element = Modular<V, typename Curve::Field>;
    p = {Element::one(), Element::one(), Element::one()};
    typename V::Mask infinite = V::every(0).is_zero();
    for (int i = Curve::WindowDigits::kNum - 1; i >= 0; --i) {
        const V digit = V::load(digits.digit + i);
        AffinePoint<V, typename Curve::Field> q;
        choose_entry(q, table, digit.magnitude());
        const auto skip = digit.is_zero();
        add_affine(p, q, digit.is_negative(), skip, infinite);
        infinite = V::both(infinite, skip);
        if (i == 0) break;
        for (int doubling = 0; doubling < kWindow; ++doubling) double_point(p);
    }
    return infinite;
}

}  // namespace octavo::kernel::ec
