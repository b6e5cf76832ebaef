#pragma once

#include "kernel/lanes/unroll.hpp"

/// Arithmetic modulo one number n, known to the compiler, on eight numbers side by side; written on a lane type V.
///
/// `Modular<V, F>` holds five or eight limbs; F names the modulus (`F::kModulus`) and how a sum is made positive. Three states:
///   carried  every limb below 2^52, value from 0 to F::kBound n: what multiplication takes and gives
///   lazy     a sum of carried numbers and small multiples of them; limbs signed, below 2^58
///   canonical  carried, and less than n
/// Products are Montgomery's: a b / R, R = 2^(52 limbs).
namespace octavo::kernel::lanes {

template <typename V, typename F>
struct Modular {
    static constexpr int kLimbs = F::kLimbs;
    V limb[kLimbs];

    static Modular constant(const Number<kLimbs>& number) {
        Modular result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::every(number.limb[i]); });
        return result;
    }
    static Modular zero() { return constant({}); }
    /// 1 as a factor of Montgomery products: R mod n.
    static Modular one() { return constant(F::kModulus.one); }
    static Modular load(const Lanes* from) {
        Modular result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::load(from + i); });
        return result;
    }
    void store(Lanes* to) const {
        repeat<kLimbs>(OCTAVO_EACH(i) { limb[i].store(to + i); });
    }
    /// Lazy. Times 2^kBits.
    template <int kBits>
    Modular times_power() const {
        Modular result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = limb[i].template shifted_left<kBits>(); });
        return result;
    }
    static Modular choose(typename V::Mask chosen, const Modular& yes, const Modular& no) {
        Modular result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::choose(chosen, yes.limb[i], no.limb[i]); });
        return result;
    }
    /// Lazy.
    static Modular negate_where(typename V::Mask chosen, const Modular& a) {
        Modular result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::negate_where(chosen, a.limb[i]); });
        return result;
    }
};

/// Lazy.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> operator+(const Modular<V, F>& a, const Modular<V, F>& b) {
    Modular<V, F> result;
    repeat<F::kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i] + b.limb[i]; });
    return result;
}
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> operator-(const Modular<V, F>& a, const Modular<V, F>& b) {
    Modular<V, F> result;
    repeat<F::kLimbs>(OCTAVO_EACH(i) { result.limb[i] = a.limb[i] - b.limb[i]; });
    return result;
}

/// The same number with limbs below 2^52, but the top one, which keeps what is above it and the sign.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> carried(Modular<V, F> a) {
    repeat<F::kLimbs - 1>(OCTAVO_EACH(i) {
        a.limb[i + 1] = a.limb[i + 1] + a.limb[i].signed_carry();
        a.limb[i] = a.limb[i].low();
    });
    return a;
}

/// A lazy number as a carried one that is congruent, from 0 to 2.01 n.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> reduced(Modular<V, F> a) {
    F::make_positive(a.limb);
    return carried(a);
}

/// Montgomery's reduction of 2 kLimbs columns; digit i of the quotient is column i once the digits before it are done. All digits
/// but the last are multiplied by m and not by n, which takes k out of the chain from digit to digit; the last by n, so
/// that the result is small. Where k is 1 they are the same.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> reduce_columns(V (&c)[2 * F::kLimbs]) {
    constexpr int kLimbs = F::kLimbs;
    constexpr auto& kMod = F::kModulus;
    constexpr int kByM = kMod.k == 1 ? kLimbs : kLimbs - 1;
    repeat<kByM>(OCTAVO_EACH(i) {
        c[i + 1] = c[i + 1] + c[i].carry();
        repeat<kLimbs>(OCTAVO_EACH(j) {
            if constexpr (kMod.m.limb[j] != 0) {
                const V factor = V::every(kMod.m.limb[j]);
                c[i + 1 + j] = V::madd_low(c[i + 1 + j], c[i], factor);
                c[i + 2 + j] = V::madd_high(c[i + 2 + j], c[i], factor);
            }
        });
    });
    if constexpr (kByM < kLimbs) {
        constexpr int i = kLimbs - 1;
        const V digit = V::madd_low(V::zero(), c[i], V::every(kMod.k));
        repeat<kLimbs>(OCTAVO_EACH(j) {
            const V factor = V::every(kMod.n.limb[j]);
            c[i + j] = V::madd_low(c[i + j], digit, factor);
            c[i + j + 1] = V::madd_high(c[i + j + 1], digit, factor);
        });
        c[i + 1] = c[i + 1] + c[i].carry();
    }
    Modular<V, F> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = c[kLimbs + i]; });
    return result;
}

/// c += a b
template <typename V, typename F>
[[gnu::always_inline]] inline void add_product(V (&c)[2 * F::kLimbs], const Modular<V, F>& a, const Modular<V, F>& b) {
    repeat<F::kLimbs>(OCTAVO_EACH(i) {
        repeat<F::kLimbs>(OCTAVO_EACH(j) {
            c[i + j] = V::madd_low(c[i + j], a.limb[i], b.limb[j]);
            c[i + j + 1] = V::madd_high(c[i + j + 1], a.limb[i], b.limb[j]);
        });
    });
}

/// c = a^2: the products of two different limbs once, doubled.
template <typename V, typename F>
[[gnu::always_inline]] inline void set_square(V (&c)[2 * F::kLimbs], const Modular<V, F>& a) {
    constexpr int kLimbs = F::kLimbs;
    repeat<2 * kLimbs>(OCTAVO_EACH(i) { c[i] = V::zero(); });
    repeat<kLimbs>(OCTAVO_EACH(i) {
        repeat<kLimbs - 1 - i>(OCTAVO_EACH(rest) {
            constexpr int j = i + 1 + rest;
            c[i + j] = V::madd_low(c[i + j], a.limb[i], a.limb[j]);
            c[i + j + 1] = V::madd_high(c[i + j + 1], a.limb[i], a.limb[j]);
        });
    });
    repeat<2 * kLimbs - 2>(OCTAVO_EACH(i) { c[i + 1] = c[i + 1] + c[i + 1]; });
    repeat<kLimbs>(OCTAVO_EACH(i) {
        c[2 * i] = V::madd_low(c[2 * i], a.limb[i], a.limb[i]);
        c[2 * i + 1] = V::madd_high(c[2 * i + 1], a.limb[i], a.limb[i]);
    });
}

/// Lazy, all limbs positive. a b / R: less than a b / R + n where k is 1, and + 2 n otherwise.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> multiply_inline(const Modular<V, F>& a, const Modular<V, F>& b) {
    V c[2 * F::kLimbs];
    repeat<2 * F::kLimbs>(OCTAVO_EACH(i) { c[i] = V::zero(); });
    add_product(c, a, b);
    return reduce_columns<V, F>(c);
}

/// a^2 / R, as above.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> square_inline(const Modular<V, F>& a) {
    V c[2 * F::kLimbs];
    set_square(c, a);
    return reduce_columns<V, F>(c);
}

/// (a b + c d) / R and (a b + 8 c^2) / R, as above, for the price of one reduction.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> two_products_inline(const Modular<V, F>& a, const Modular<V, F>& b,
                                                                const Modular<V, F>& c, const Modular<V, F>& d) {
    V columns[2 * F::kLimbs];
    repeat<2 * F::kLimbs>(OCTAVO_EACH(i) { columns[i] = V::zero(); });
    add_product(columns, a, b);
    add_product(columns, c, d);
    return reduce_columns<V, F>(columns);
}
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> product_and_square_inline(const Modular<V, F>& a, const Modular<V, F>& b,
                                                                      const Modular<V, F>& c) {
    V columns[2 * F::kLimbs];
    set_square(columns, c);
    repeat<2 * F::kLimbs>(OCTAVO_EACH(i) { columns[i] = columns[i].template shifted_left<3>(); });
    add_product(columns, a, b);
    return reduce_columns<V, F>(columns);
}

template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> multiply(const Modular<V, F>& a, const Modular<V, F>& b) noexcept {
    return carried(multiply_inline(a, b));
}
template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> square(const Modular<V, F>& a) noexcept {
    return carried(square_inline(a));
}
/// The same, lazy: for results that only sums take.
template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> multiply_lazy(const Modular<V, F>& a, const Modular<V, F>& b) noexcept {
    return multiply_inline(a, b);
}
template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> square_lazy(const Modular<V, F>& a) noexcept {
    return square_inline(a);
}

template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> two_products(const Modular<V, F>& a, const Modular<V, F>& b, const Modular<V, F>& c,
                                             const Modular<V, F>& d) noexcept {
    return two_products_inline(a, b, c, d);
}
template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> product_and_square(const Modular<V, F>& a, const Modular<V, F>& b,
                                                   const Modular<V, F>& c) noexcept {
    return product_and_square_inline(a, b, c);
}

/// What inversions of several groups multiply with.
template <typename V, typename F>
Modular<V, F> product_of(const Modular<V, F>& a, const Modular<V, F>& b) noexcept {
    return multiply(a, b);
}

/// The same where speed matters most: inline, if the field is small enough for whole formulas to stay in the cache of decoded instructions.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> product(const Modular<V, F>& a, const Modular<V, F>& b) {
    if constexpr (F::kInline)
        return carried(multiply_inline(a, b));
    else
        return multiply(a, b);
}
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> squared(const Modular<V, F>& a) {
    if constexpr (F::kInline)
        return carried(square_inline(a));
    else
        return square(a);
}
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> product_lazy(const Modular<V, F>& a, const Modular<V, F>& b) {
    if constexpr (F::kInline)
        return multiply_inline(a, b);
    else
        return multiply_lazy(a, b);
}
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> squared_lazy(const Modular<V, F>& a) {
    if constexpr (F::kInline)
        return square_inline(a);
    else
        return square_lazy(a);
}

template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> two_products_lazy(const Modular<V, F>& a, const Modular<V, F>& b,
                                                              const Modular<V, F>& c, const Modular<V, F>& d) {
    if constexpr (F::kInline)
        return two_products_inline(a, b, c, d);
    else
        return two_products(a, b, c, d);
}
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> product_and_square_lazy(const Modular<V, F>& a, const Modular<V, F>& b,
                                                                    const Modular<V, F>& c) {
    if constexpr (F::kInline)
        return product_and_square_inline(a, b, c);
    else
        return product_and_square(a, b, c);
}

/// a - n where that is not negative, else a.
template <typename V, typename F>
[[gnu::always_inline]] inline Modular<V, F> subtract_once(const Modular<V, F>& a) {
    const auto difference = carried(a - Modular<V, F>::constant(F::kModulus.n));
    return Modular<V, F>::choose(difference.limb[F::kLimbs - 1].is_negative(), a, difference);
}

/// The canonical form of a carried number less than 4 n.
template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> canonical(const Modular<V, F>& a) noexcept {
    return subtract_once(subtract_once(subtract_once(a)));
}

/// Both canonical.
template <typename V, typename F>
typename V::Mask are_equal(const Modular<V, F>& a, const Modular<V, F>& b) noexcept {
    V difference = V::zero();
    repeat<F::kLimbs>(OCTAVO_EACH(i) { difference = difference | (a.limb[i] ^ b.limb[i]); });
    return difference.is_zero();
}

/// Canonical.
template <typename V, typename F>
typename V::Mask is_zero(const Modular<V, F>& a) noexcept {
    return are_equal(a, Modular<V, F>::zero());
}

/// Limbs below 2^52: the lanes whose number is less than n.
template <typename V, typename F>
typename V::Mask is_canonical(const Modular<V, F>& a) noexcept {
    return carried(a - Modular<V, F>::constant(F::kModulus.n)).limb[F::kLimbs - 1].is_negative();
}

/// x R mod n of a number of any size that fits the limbs (less than R), carried.
template <typename V, typename F>
Modular<V, F> enter(const Modular<V, F>& x) noexcept {
    return multiply(x, Modular<V, F>::constant(F::kModulus.square));
}

/// x / R mod n, canonical.
template <typename V, typename F>
Modular<V, F> leave(const Modular<V, F>& x) noexcept {
    Modular<V, F> one = Modular<V, F>::zero();
    one.limb[0] = V::every(1);
    return canonical(multiply(x, one));
}

}  // namespace octavo::kernel::lanes
