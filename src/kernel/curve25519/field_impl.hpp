#pragma once

#include "kernel/curve25519/constants.hpp"
#include "kernel/lanes/montgomery_impl.hpp"
#include "kernel/lanes/word_inverse_impl.hpp"

/// Arithmetic modulo p = 2^255 - 19 on eight numbers side by side, written on a lane type V: five limbs of 52 bits, the top one of 47.
/// 2^260 is 608 modulo p. A number is in one of two states, and their types keep them apart:
///   Sum     limbs signed, below 2^61; whole value within +-2^12 2^255. What products are, and sums and differences of them
///   Factor  what multiplication takes: the low 52 bits of each limb are right, bits above have been carried on and are
///           to be ignored; the top limb, all of it, is less than 2^47 + 2^10
/// So carries are spent on sums that will be multiplied, and on nothing else.
namespace octavo::kernel::curve25519 {

using lanes::Lanes;
using lanes::Limb;
using lanes::repeat;

template <typename V>
struct Sum {
    V limb[kLimbs];

    static Sum constant(const lanes::Number<kLimbs>& number) {
        Sum result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::every(number.limb[i]); });
        return result;
    }
    static Sum small(Limb word) {
        Sum result = constant({});
        result.limb[0] = V::every(word);
        return result;
    }
    static Sum choose(typename V::Mask chosen, const Sum& yes, const Sum& no) {
        Sum result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::choose(chosen, yes.limb[i], no.limb[i]); });
        return result;
    }
    static Sum negate_where(typename V::Mask chosen, const Sum& a) {
        Sum result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::negate_where(chosen, a.limb[i]); });
        return result;
    }
};

template <typename V>
struct Factor {
    V limb[kLimbs];
};

template <typename V>
[[gnu::always_inline]] inline Sum<V> operator+(const Sum<V>& a, const Sum<V>& b) {
    Sum<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i] + b.limb[i]; });
    return result;
}
template <typename V>
[[gnu::always_inline]] inline Sum<V> operator-(const Sum<V>& a, const Sum<V>& b) {
    Sum<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i] - b.limb[i]; });
    return result;
}

template <typename V>
[[gnu::always_inline]] inline Factor<V> carry_limbs(Sum<V> a, V above) {
    a.limb[0] = V::madd_low(a.limb[0], above, V::every(19));
    repeat<kLimbs - 1>(OCTAVO_EACH(i) { a.limb[i + 1] = a.limb[i + 1] + a.limb[i].signed_carry(); });
    Factor<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i]; });
    return result;
}

/// For sums without a negative limb: what is above 2^255 comes back as 19 times itself; then one pass of carries.
template <typename V>
[[gnu::always_inline]] inline Factor<V> factor_of_sum(Sum<V> a) {
    const V above = a.limb[4].template shifted_right<47>();
    a.limb[4] = a.limb[4] & V::every((Limb{1} << 47) - 1);
    return carry_limbs(a, above);
}

/// Adds 608 times column kColumn to those five below. A column has up to 56 bits: its low 52 by multiply-add, low and high half of the
/// product, and what is above them by a third.
template <int kColumn, typename V>
[[gnu::always_inline]] inline void fold_column(V (&c)[2 * kLimbs]) {
    constexpr int to = kColumn - kLimbs;
    const V times = V::every(608);
    c[to] = V::madd_low(c[to], c[kColumn], times);
    c[to + 1] = V::madd_high(c[to + 1], c[kColumn], times);
    c[to + 1] = V::madd_low(c[to + 1], c[kColumn].carry(), times);
}

template <typename V>
[[gnu::always_inline]] inline Sum<V> low_columns(const V (&c)[2 * kLimbs]) {
    Sum<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = c[i]; });
    return result;
}

/// Columns 5 to 9 come back 608 times.
template <typename V>
[[gnu::always_inline]] inline Sum<V> fold(V (&c)[2 * kLimbs]) {
    repeat<kLimbs - 1>(OCTAVO_EACH(i) { fold_column<kLimbs + i>(c); });
    // less than 2^42 + 2^7: 608 times it has no high half
    c[4] = V::madd_low(c[4], c[9], V::every(608));
    return low_columns(c);
}

/// The same of a square, without what is in column 3 already: column 8 is less than 2^49, and there is no other.
template <typename V>
[[gnu::always_inline]] inline Sum<V> fold_square(V (&c)[2 * kLimbs]) {
    repeat<kLimbs - 2>(OCTAVO_EACH(i) { fold_column<kLimbs + i>(c); });
    c[3] = V::madd_low(c[3], c[8], V::every(608));
    c[4] = V::madd_high(c[4], c[8], V::every(608));
    return low_columns(c);
}

/// What a product begins from: nothing, or 2^12 p with every limb larger than a product's, so that another product can be subtracted limb by
/// limb and the difference is a sum without a negative limb. It costs nothing.
enum class Start { zero, above_products };
inline constexpr lanes::Number<kLimbs> kAboveProducts = {{(Limb{1} << 58) - (19 << 12), (Limb{1} << 58) - (1 << 6),
                                                          (Limb{1} << 58) - (1 << 6), (Limb{1} << 58) - (1 << 6),
                                                          (Limb{1} << 59) - (1 << 6)}};
/// What a square begins from instead: all columns but the first are doubled.
inline constexpr lanes::Number<kLimbs> kAboveSquares = {{kAboveProducts.limb[0], kAboveProducts.limb[1] / 2,
                                                         kAboveProducts.limb[2] / 2, kAboveProducts.limb[3] / 2,
                                                         kAboveProducts.limb[4] / 2}};

/// The factor of a sum whose limbs are not as far below zero as those of kAboveProducts are above it.
template <typename V>
[[gnu::always_inline]] inline Factor<V> factor(const Sum<V>& a) {
    return factor_of_sum(a + Sum<V>::constant(kAboveProducts));
}

template <typename V, Start kStart, bool kSquare>
[[gnu::always_inline]] inline void start_columns(V (&c)[2 * kLimbs]) {
    repeat<2 * kLimbs>(OCTAVO_EACH(i) {
        c[i] = V::zero();
        if constexpr (i < kLimbs && kStart == Start::above_products)
            c[i] = V::every_at(&(kSquare ? kAboveSquares : kAboveProducts).limb[i]);
    });
}

/// Adds row i of the columns of a b.
template <int i, typename V>
[[gnu::always_inline]] inline void add_product_row(V (&c)[2 * kLimbs], const Factor<V>& a, const Factor<V>& b) {
    repeat<kLimbs>(OCTAVO_EACH(j) { c[i + j] = V::madd_low(c[i + j], a.limb[i], b.limb[j]); });
    repeat<kLimbs>(OCTAVO_EACH(j) { c[i + j + 1] = V::madd_high(c[i + j + 1], a.limb[i], b.limb[j]); });
}

template <Start kStart = Start::zero, typename V>
[[gnu::always_inline]] inline Sum<V> multiply_inline(const Factor<V>& a, const Factor<V>& b) {
    V c[2 * kLimbs];
    start_columns<V, kStart, false>(c);
    repeat<kLimbs>(OCTAVO_EACH(i) { add_product_row<i>(c, a, b); });
    return fold(c);
}

/// Adds row i of the products of two different limbs of a, the top one apart, once each.
template <int i, typename V>
[[gnu::always_inline]] inline void add_square_row(V (&c)[2 * kLimbs], const Factor<V>& a) {
    repeat<kLimbs - 2 - i>(OCTAVO_EACH(rest) {
        constexpr int j = i + 1 + rest;
        c[i + j] = V::madd_low(c[i + j], a.limb[i], a.limb[j]);
        c[i + j + 1] = V::madd_high(c[i + j + 1], a.limb[i], a.limb[j]);
    });
}

/// Doubles what the rows have added, and adds the rest of the square. The top limb has room to be doubled before it is multiplied, and to be
/// folded: its own square, from column 8, is 2 (16 a) (19 a) in column 3.
template <typename V>
[[gnu::always_inline]] inline void finish_square(V (&c)[2 * kLimbs], const Factor<V>& a) {
    constexpr int kTop = kLimbs - 1;
    const V top = a.limb[kTop], twice = top + top;
    const V times_16 = top.template shifted_left<4>(), times_19 = V::madd_low(V::zero(), top, V::every(19));
    c[kTop - 1] = V::madd_low(c[kTop - 1], times_16, times_19);
    c[kTop] = V::madd_high(c[kTop], times_16, times_19);
    repeat<2 * kTop - 2>(OCTAVO_EACH(i) { c[i + 1] = c[i + 1] + c[i + 1]; });
    repeat<kTop>(OCTAVO_EACH(i) {
        c[2 * i] = V::madd_low(c[2 * i], a.limb[i], a.limb[i]);
        c[2 * i + 1] = V::madd_high(c[2 * i + 1], a.limb[i], a.limb[i]);
        c[i + kTop] = V::madd_low(c[i + kTop], a.limb[i], twice);
        c[i + kLimbs] = V::madd_high(c[i + kLimbs], a.limb[i], twice);
    });
}

template <Start kStart = Start::zero, typename V>
[[gnu::always_inline]] inline Sum<V> square_inline(const Factor<V>& a) {
    V c[2 * kLimbs];
    start_columns<V, kStart, true>(c);
    repeat<kLimbs - 2>(OCTAVO_EACH(i) { add_square_row<i>(c, a); });
    finish_square(c, a);
    return fold_square(c);
}

/// Two products or two squares, a row of each in turn: each hides the other's latency, for which the processor does not look far enough ahead.
template <typename V>
struct Pair {
    Sum<V> first, second;
};
template <Start kFirst, Start kSecond, typename V>
[[gnu::always_inline]] inline Pair<V> multiply_pair(const Factor<V>& a, const Factor<V>& b, const Factor<V>& c,
                                                    const Factor<V>& d) {
    V first[2 * kLimbs], second[2 * kLimbs];
    start_columns<V, kFirst, false>(first);
    start_columns<V, kSecond, false>(second);
    repeat<kLimbs>(OCTAVO_EACH(i) {
        add_product_row<i>(first, a, b);
        add_product_row<i>(second, c, d);
    });
    return {fold(first), fold(second)};
}
template <Start kFirst, Start kSecond, typename V>
[[gnu::always_inline]] inline Pair<V> square_pair(const Factor<V>& a, const Factor<V>& b) {
    V first[2 * kLimbs], second[2 * kLimbs];
    start_columns<V, kFirst, true>(first);
    start_columns<V, kSecond, true>(second);
    repeat<kLimbs - 2>(OCTAVO_EACH(i) {
        add_square_row<i>(first, a);
        add_square_row<i>(second, b);
    });
    finish_square(first, a);
    finish_square(second, b);
    return {fold_square(first), fold_square(second)};
}

template <Start kStart = Start::zero, typename V>
[[gnu::noinline]] Sum<V> multiply(const Factor<V>& a, const Factor<V>& b) noexcept {
    return multiply_inline<kStart>(a, b);
}
template <Start kStart = Start::zero, typename V>
[[gnu::noinline]] Sum<V> square(const Factor<V>& a) noexcept {
    return square_inline<kStart>(a);
}

/// carry_limbs of any sum, to which 2^12 p are added; one p of them stays, so that no borrow makes the top limb negative.
template <typename V>
[[gnu::always_inline]] inline Factor<V> carried_above(Sum<V> a) {
    constexpr Limb kTopBit = Limb{1} << 47;
    a.limb[0] = a.limb[0] - V::every(19 * ((1 << 12) + 1));
    const V top = a.limb[4] + V::every(kTopBit << 12);
    a.limb[4] = (top & V::every(kTopBit - 1)) | V::every(kTopBit);
    return carry_limbs(a, top.template shifted_right<47>());
}

/// The canonical number, in the form that inversions, comparisons and bytes take.
template <typename V>
[[gnu::noinline]] lanes::Modular<V, Field> canonical(const Sum<V>& a) noexcept {
    const Factor<V> carried_once = carried_above(a);
    lanes::Modular<V, Field> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = carried_once.limb[i].low(); });
    return lanes::subtract_once(lanes::subtract_once(result));
}

/// A canonical number, or any with limbs below 2^52.
template <typename V>
[[gnu::always_inline]] inline Sum<V> sum_of(const lanes::Modular<V, Field>& a) {
    Sum<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i]; });
    return result;
}

template <typename V>
[[gnu::always_inline]] inline Sum<V> sum_of(const Factor<V>& a) {
    Sum<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i].low(); });
    return result;
}

/// What inversions of several groups multiply with.
template <typename V>
Factor<V> product_of(const Factor<V>& a, const Factor<V>& b) noexcept {
    return factor_of_sum(multiply(a, b));
}

/// Each lane's factor in lane l ^ kDistance.
template <int kDistance, typename V>
[[gnu::always_inline]] inline Factor<V> exchanged(const Factor<V>& a) {
    Factor<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i].template exchanged<kDistance>(); });
    return result;
}

/// 1 / a of an a that is the same in all lanes.
template <typename V>
[[gnu::noinline]] Factor<V> inverse_of_same(const Factor<V>& a) noexcept {
    lanes::Word number[kLimbs], inverse[kLimbs];
    repeat<kLimbs>(OCTAVO_EACH(i) { number[i] = static_cast<lanes::Word>(a.limb[i].low().first_lane()); });
    lanes::WordInversion<V, Field>::invert(inverse, number);
    Sum<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::every(static_cast<Limb>(inverse[i])); });
    return factor(result);
}

/// 1 / a where no lane is 0: the inverse of all lanes' product, times the product of the other lanes.
template <typename V>
[[gnu::noinline]] Factor<V> inverse_of_lanes(const Factor<V>& a) noexcept {
    const auto one = exchanged<4>(a), two_lanes = product_of(a, one);
    const auto two = exchanged<2>(two_lanes), four_lanes = product_of(two_lanes, two);
    const auto four = exchanged<1>(four_lanes);
    return product_of(inverse_of_same(product_of(four_lanes, four)), product_of(product_of(one, two), four));
}

/// The same; 0 where a is 0.
template <typename V>
[[gnu::noinline]] Factor<V> inverse(const Sum<V>& a) noexcept {
    const auto zero = is_zero(canonical(a));
    const auto result = inverse_of_lanes(factor(Sum<V>::choose(zero, Sum<V>::small(1), a)));
    return factor_of_sum(Sum<V>::choose(zero, Sum<V>::small(0), sum_of(result)));
}

}  // namespace octavo::kernel::curve25519
