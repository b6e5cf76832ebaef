#pragma once

#include "kernel/lanes/montgomery_impl.hpp"

/// Inverses modulo n on eight numbers side by side, in constant time: D. J. Bernstein, B.-Y. Yang, "Fast constant-time gcd
/// computation and modular inversion" (CHES 2019), in the variant that starts at delta = 1/2. A power of n - 2 would take three to
/// four times as long.
///
/// 52 steps at a time are worked out on the low words of f and g alone, as a matrix (u v; q r) with entries of up to 2^52 in
/// size, which is then applied to all limbs: 2^52 (f', g') = (u f + v g, q f + r g), and the same for d and e modulo n.
namespace octavo::kernel::lanes {

template <typename V>
struct Matrix {
    V u, v, q, r;
};

/// kSteps divsteps. A row is packed into a word, f + 2^kLow u + 2^kMiddle v, so that it takes one addition: f and g are below 2^kSteps
/// in size and entries at most 2^kSteps, with a bit to spare for sums (3 kSteps + 6 <= 64).
///   zeta  -(delta + 1/2)
///   f, g  their low bits, kSteps of them at least
template <typename V, int kSteps, int kNum>
[[gnu::always_inline]] inline void divsteps(V (&zeta)[kNum], const V (&f)[kNum], const V (&g)[kNum],
                                            Matrix<V> (&matrix)[kNum]) {
    constexpr int kLow = kSteps + 1, kMiddle = 2 * kSteps + 3;
    static_assert(3 * kSteps + 6 <= 64);
    const V one = V::every(1), minus_one = V::every(~Limb{0}), bits = V::every((Limb{1} << kSteps) - 1);
    V upper[kNum], lower[kNum];
    repeat<kNum>(OCTAVO_EACH(i) {
        upper[i] = (f[i] & bits) + V::every(Limb{1} << (kSteps + kLow));
        lower[i] = (g[i] & bits) + V::every(Limb{1} << (kSteps + kMiddle));
    });
    for (int step = 0; step < kSteps; ++step) {
        repeat<kNum>(OCTAVO_EACH(i) {
            // words of ones or zeros instead of lane masks, which take three times as long to make
            const V odd = V::zero() - (lower[i] & one), negative = zeta[i].template signed_shifted_right<63>();
            const V swap = odd & negative;
            const V sum = (lower[i] - swap) + ((upper[i] ^ negative) & odd);
            upper[i] = V::choose_bits(swap, lower[i], upper[i]);
            lower[i] = sum.template signed_shifted_right<1>();
            zeta[i] = (zeta[i] ^ swap) + minus_one;
        });
    }
    const V half_middle = V::every(Limb{1} << (kMiddle - 1)), half_low = V::every(Limb{1} << (kLow - 1));
    const auto unpack = [&](V word, V & first, V & second) __attribute__((always_inline)) {
        second = (word + half_middle).template signed_shifted_right<kMiddle>();
        first = (word - second.template shifted_left<kMiddle>() + half_low).template signed_shifted_right<kLow>();
    };
    repeat<kNum>(OCTAVO_EACH(i) {
        unpack(upper[i], matrix[i].u, matrix[i].v);
        unpack(lower[i], matrix[i].q, matrix[i].r);
    });
}

/// a b. With kSmall, entries have less than 32 bits.
template <bool kSmall, typename V>
[[gnu::always_inline]] inline Matrix<V> combined(const Matrix<V>& a, const Matrix<V>& b) {
    const auto product = [](V x, V y) __attribute__((always_inline)) {
        return kSmall ? V::small_product(x, y) : V::product(x, y);
    };
    const auto sum = [&](V x, V y, V z, V w) __attribute__((always_inline)) { return product(x, y) + product(z, w); };
    return {sum(a.u, b.u, a.v, b.q), sum(a.u, b.v, a.v, b.r), sum(a.q, b.u, a.r, b.q), sum(a.q, b.v, a.r, b.r)};
}

/// f and g after the steps of `matrix`; of their low words, kSteps bits less are right.
template <typename V, int kSteps>
[[gnu::always_inline]] inline void advance(const Matrix<V>& matrix, V& f, V& g) {
    const auto sum = [&](V a, V b) __attribute__((always_inline)) {
        return V::madd_low(V::madd_low(V::zero(), a, f), b, g).template shifted_right<kSteps>();
    };
    const V next = sum(matrix.u, matrix.v);
    g = sum(matrix.q, matrix.r);
    f = next;
}

/// 52 divsteps, 18 + 17 + 17.
template <typename V, int kNum>
[[gnu::noinline]] void divsteps_of_limb(V (&zeta)[kNum], const V (&low_f)[kNum], const V (&low_g)[kNum],
                                        Matrix<V> (&matrix)[kNum]) noexcept {
    V f[kNum], g[kNum];
    Matrix<V> next[kNum];
    repeat<kNum>(OCTAVO_EACH(i) { f[i] = low_f[i], g[i] = low_g[i]; });
    divsteps<V, 18>(zeta, f, g, matrix);
    repeat<kNum>(OCTAVO_EACH(i) { advance<V, 18>(matrix[i], f[i], g[i]); });
    divsteps<V, 17>(zeta, f, g, next);
    repeat<kNum>(OCTAVO_EACH(i) {
        advance<V, 17>(next[i], f[i], g[i]);
        matrix[i] = combined<true>(next[i], matrix[i]);
    });
    divsteps<V, 17>(zeta, f, g, next);
    repeat<kNum>(OCTAVO_EACH(i) { matrix[i] = combined<false>(next[i], matrix[i]); });
}

/// One inversion under way. f, g, d and e are carried but for their top limbs, which are signed.
///   d, e  -n < d, e < 2 n; x d = f c and x e = g c modulo n, where c is what is divided by x
template <typename V, typename F>
class Inversion {
public:
    using Element = Modular<V, F>;
    static constexpr int kLimbs = F::kLimbs;
    /// Enough for every x: (45907 b + 26313) / 19929 steps for b bits.
    static constexpr int kRounds = (45907 * F::kBits + 26313) / (19929 * kLimbBits) + 1;

    /// Starts c / x; both canonical.
    Inversion(const Element& x, const Element& c) noexcept
        : f_(Element::constant(F::kModulus.n)), g_(x), d_(Element::zero()), e_(c) {}

    V low_f() const { return f_.limb[0]; }
    V low_g() const { return g_.limb[0]; }

    [[gnu::noinline]] void apply(const Matrix<V>& matrix) noexcept {
        const Row upper(matrix.u, matrix.v), lower(matrix.q, matrix.r);
        const Element f = divided(upper, f_, g_, false);
        g_ = divided(lower, f_, g_, false);
        f_ = f;
        const Element d = moved_down(d_), e = moved_down(e_);
        d_ = divided(upper, d, e, true);
        e_ = divided(lower, d, e, true);
    }

    /// c / x, canonical; 0 where x is 0.
    Element result() const noexcept {
        Element d = carried(Element::negate_where(f_.limb[kLimbs - 1].is_negative(), d_));
        d = not_negative(not_negative(d));
        return subtract_once(d);
    }

private:
    /// Two entries a, b of the matrix: their low 52 bits (what multiply-add reads), and where -2^52 or 2^52 is to be added.
    struct Row {
        Row(V first, V second) : entry{first, second} {
            repeat<2>(OCTAVO_EACH(i) {
                const V high = entry[i].signed_carry();
                negative[i] = high.is_negative();
                whole[i] = high.equals(V::every(1));
            });
        }
        V entry[2];
        typename V::Mask negative[2], whole[2];
    };

    /// Adds a x to the columns.
    template <int kWhich>
    [[gnu::always_inline]] static void add_product(V (&c)[kLimbs + 1], const Row& row, const Element& x) {
        const V a = row.entry[kWhich];
        repeat<kLimbs>(OCTAVO_EACH(i) {
            c[i] = V::madd_low(c[i], a, x.limb[i]);
            c[i + 1] = V::madd_high(c[i + 1], a, x.limb[i]);
            c[i + 1] = V::subtract_where(row.negative[kWhich], c[i + 1], x.limb[i]);
            c[i + 1] = V::add_where(row.whole[kWhich], c[i + 1], x.limb[i]);
        });
        // the top limb went in without its sign, which weighs -2^52
        c[kLimbs] = V::subtract_where(x.limb[kLimbs - 1].is_negative(), c[kLimbs], a.low());
    }

    /// (a x + b y) / 2^52; `modulo n` where the sum is not divisible by itself: then less than the larger of x and y in size, and
    /// up to n more.
    [[gnu::always_inline]] static Element divided(const Row& row, const Element& x, const Element& y, bool modulo_n) {
        V c[kLimbs + 1];
        repeat<kLimbs + 1>(OCTAVO_EACH(i) { c[i] = V::zero(); });
        add_product<0>(c, row, x);
        add_product<1>(c, row, y);
        if (modulo_n) {
            const V digit = V::madd_low(V::zero(), c[0], V::every(F::kModulus.k));
            repeat<kLimbs>(OCTAVO_EACH(i) {
                const V factor = V::every(F::kModulus.n.limb[i]);
                c[i] = V::madd_low(c[i], digit, factor);
                c[i + 1] = V::madd_high(c[i + 1], digit, factor);
            });
        }
        Element result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = c[i + 1]; });
        result.limb[0] = result.limb[0] + c[0].signed_carry();
        return carried(result);
    }

    /// Into -n <= x < n, from -n < x < 2 n.
    [[gnu::always_inline]] static Element moved_down(const Element& x) {
        return carried(Element::choose(x.limb[kLimbs - 1].is_negative(), x, x - Element::constant(F::kModulus.n)));
    }
    [[gnu::always_inline]] static Element not_negative(const Element& x) {
        return carried(Element::choose(x.limb[kLimbs - 1].is_negative(), x + Element::constant(F::kModulus.n), x));
    }

    Element f_, g_, d_, e_;
};

template <int kFirst, int... kOthers>
constexpr int common_rounds() {
    static_assert(((kFirst == kOthers) && ...));
    return kFirst;
}

/// Runs inversions side by side: a chain of steps alone leaves most of the ports idle.
template <typename V, typename... Inversions>
[[gnu::always_inline]] inline void run_inversions(Inversions&... inversions) {
    constexpr int kNum = sizeof...(inversions), kRounds = common_rounds<Inversions::kRounds...>();
    V zeta[kNum];
    repeat<kNum>(OCTAVO_EACH(i) { zeta[i] = V::every(~Limb{0}); });
    for (int round = 0; round < kRounds; ++round) {
        const V f[kNum] = {inversions.low_f()...}, g[kNum] = {inversions.low_g()...};
        Matrix<V> matrix[kNum];
        divsteps_of_limb<V>(zeta, f, g, matrix);
        int i = 0;
        (inversions.apply(matrix[i++]), ...);
    }
}

/// c / x modulo n, canonical; 0 where x is 0. Both canonical.
template <typename V, typename F>
[[gnu::noinline]] Modular<V, F> divide(const Modular<V, F>& c, const Modular<V, F>& x) noexcept {
    Inversion<V, F> inversion(x, c);
    run_inversions<V>(inversion);
    return inversion.result();
}

/// 1 / a of a carried number in Montgomery form, in the same form; 0 where a is 0.
template <typename V, typename F>
Modular<V, F> invert(const Modular<V, F>& a) noexcept {
    return divide(Modular<V, F>::constant(F::kModulus.square), canonical(a));
}

}  // namespace octavo::kernel::lanes
