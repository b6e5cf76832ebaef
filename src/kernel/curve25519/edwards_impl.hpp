#pragma once

#include "kernel/curve25519/field_impl.hpp"
#include "kernel/ec/scalar_impl.hpp"

/// Points of edwards25519 on eight lanes: extended coordinates x = X/Z, y = Y/Z, x y = T/Z (RFC 8032, 5.1.4). The addition formulas
/// are complete: no point is exceptional.
namespace octavo::kernel::curve25519 {

/// Coordinates are sums without negative terms.
template <typename V>
struct Point {
    Sum<V> x, y, z, t;

    static Point neutral() { return {Sum<V>::small(0), Sum<V>::small(1), Sum<V>::small(1), Sum<V>::small(0)}; }
};

/// A point prepared to be added: y + x, y - x, 2 d x y where z = 1; else Y + X, Y - X, 2 d T.
template <typename V>
struct Addend {
    Factor<V> y_plus_x, y_minus_x, t2d;
};

/// The end of additions and doublings: X = E F, Y = G H, Z = F G, T = E H. T only with kWithT: a doubling after it does not need it.
template <bool kWithT, typename V>
[[gnu::always_inline]] inline void finish(Point<V>& p, const Factor<V>& e, const Factor<V>& f, const Factor<V>& g,
                                          const Factor<V>& h) {
    p.x = multiply_inline(e, f);
    p.y = multiply_inline(g, h);
    p.z = multiply_inline(f, g);
    if constexpr (kWithT) p.t = multiply_inline(e, h);
}

/// p += q or, where `negative`, p -= q; `twice_z` is 2 Z_p Z_q.
template <bool kWithT, typename V>
[[gnu::noinline]] void add(Point<V>& p, const Addend<V>& q, const Sum<V>& twice_z, typename V::Mask negative) noexcept {
    const auto choose =
        [](typename V::Mask chosen, const Factor<V>& yes, const Factor<V>& no) __attribute__((always_inline)) {
        Factor<V> result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::choose(chosen, yes.limb[i], no.limb[i]); });
        return result;
    };
    const auto a = multiply_inline(factor(p.y - p.x), choose(negative, q.y_plus_x, q.y_minus_x));
    const auto b =
        multiply_inline<Start::above_products>(factor_of_sum(p.y + p.x), choose(negative, q.y_minus_x, q.y_plus_x));
    const auto c = Sum<V>::negate_where(negative, multiply_inline(factor_of_sum(p.t), q.t2d));
    finish<kWithT>(p, factor_of_sum(b - a), factor(twice_z - c), factor(twice_z + c), factor_of_sum(b + a));
}

/// p = 2 p. The signs of E, F, G and H are all turned round against RFC 8032, so that E is 2 X Y.
template <bool kWithT, typename V>
[[gnu::noinline]] void double_point(Point<V>& p) noexcept {
    const auto x = factor_of_sum(p.x), y = factor_of_sum(p.y);
    const auto a = square_inline(x), b = square_inline<Start::above_products>(y), xy = multiply_inline(x, y);
    const auto zz = square_inline(factor_of_sum(p.z));
    const auto g = b - a, above = Sum<V>::constant(kAboveProducts);
    finish<kWithT>(p, factor_of_sum(xy + xy), factor_of_sum(g - zz - zz), factor_of_sum(g),
                   factor_of_sum(above + above - a - b));
}

/// The factor, or `word` in the chosen lanes.
template <typename V>
[[gnu::always_inline]] inline Factor<V> neutral_where(typename V::Mask chosen, Factor<V> a, Limb word) {
    repeat<kLimbs>(OCTAVO_EACH(i) { a.limb[i] = V::choose(chosen, V::every(i == 0 ? word : 0), a.limb[i]); });
    return a;
}

/// p += k B, from the digits of k.
template <typename V>
[[gnu::noinline]] void add_base_multiple(Point<V>& p, const CombDigits& digits) noexcept {
    for (int window = 0; window < CombDigits::kNum; ++window) {
        const V digit = V::load(digits.digit + window);
        const V index = digit.magnitude() - V::every(1);
        const auto none = digit.is_zero();
        const auto& entries = kComb[window];
        const auto select = [&](int first, Limb word) __attribute__((always_inline)) {
            Factor<V> result;
            repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = ec::select<V, kCombEntries>(entries[first + i], index); });
            return neutral_where(none, result, word);
        };
        const Addend<V> q{select(0, 1), select(kLimbs, 1), select(2 * kLimbs, 0)};
        add<true>(p, q, p.z + p.z, digit.is_negative());
    }
}

/// p = k B, from the digits of k.
template <typename V>
void multiply_base(Point<V>& p, const CombDigits& digits) noexcept {
    p = Point<V>::neutral();
    add_base_multiple(p, digits);
}

}  // namespace octavo::kernel::curve25519
