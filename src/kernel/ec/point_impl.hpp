#pragma once

#include "kernel/lanes/inverse_impl.hpp"

/// Points of y^2 = x^3 - 3 x + b on eight lanes: Jacobian coordinates (X / Z^2, Y / Z^3), Montgomery form, carried.
/// Where a point may be infinite, a mask beside it says so; its coordinates are then of no meaning.
namespace octavo::kernel::ec {

using lanes::Modular;

template <typename V, typename F>
struct Point {
    Modular<V, F> x, y, z;
};

template <typename V, typename F>
struct AffinePoint {
    Modular<V, F> x, y;
};

/// 2 P. Four multiplications and four squarings, in independent pairs.
template <typename V, typename F>
[[gnu::noinline]] void double_point(Point<V, F>& p) noexcept {
    const auto zz = squared_lazy(p.z), yy = squared(p.y);
    const auto difference = p.x - zz;
    const auto slope = product(reduced(difference + difference + difference), carried(p.x + zz));
    const auto s = product_lazy(p.x, yy);
    p.z = product(carried(p.y + p.y), p.z);
    p.x = reduced(squared_lazy(slope) - s.template times_power<3>());
    const auto rest = reduced(p.x - s.template times_power<2>());
    p.y = reduced(Modular<V, F>::zero() - product_and_square_lazy(slope, rest, yy));
}

/// p += q, or p -= q where `negative`; nothing where `skip`. `infinite` tells where p is, and no longer holds after.
/// Elsewhere p is neither q nor -q: the callers' loops see to that.
template <typename V, typename F>
[[gnu::noinline]] void add_affine(Point<V, F>& p, const AffinePoint<V, F>& q, typename V::Mask negative,
                                  typename V::Mask skip, typename V::Mask infinite) noexcept {
    using Element = Modular<V, F>;
    const auto zz = squared(p.z);
    const auto zzz = product(p.z, zz);
    const auto h = reduced(product_lazy(q.x, zz) - p.x);
    const auto r = reduced(Element::negate_where(negative, product_lazy(q.y, zzz)) - p.y);
    const auto hh = squared(h);
    const auto z = product(p.z, h);
    const auto v = product_lazy(p.x, hh);
    const auto hhh = product(h, hh);
    const auto x = reduced(squared_lazy(r) - hhh - v - v);
    const auto y = Element::zero() - two_products_lazy(r, reduced(x - v), p.y, hhh);
    const auto choose = [&](const Element& from_q, const Element& sum, const Element& from_p)
        __attribute__((always_inline)) {
        return Element::choose(skip, from_p, Element::choose(infinite, from_q, sum));
    };
    p.x = choose(q.x, x, p.x);
    p.y = reduced(choose(Element::negate_where(negative, q.y), y, p.y));
    p.z = choose(Element::one(), z, p.z);
}

/// X and Z of p + q for any points, where masks tell which are infinite; the answer tells where the sum is.
template <typename V, typename F>
[[gnu::noinline]] typename V::Mask add_points(Point<V, F>& p, typename V::Mask p_infinite, const Point<V, F>& q,
                                              typename V::Mask q_infinite) noexcept {
    using Element = Modular<V, F>;
    const auto pzz = square(p.z), qzz = square(q.z);
    const auto u = multiply(p.x, qzz), s = multiply(p.y, multiply(q.z, qzz));
    const auto h = reduced(multiply_lazy(q.x, pzz) - u);
    const auto r = reduced(multiply_lazy(q.y, multiply(p.z, pzz)) - s);
    const auto same_x = is_zero(leave(h)), same_y = is_zero(leave(r));
    const auto hh = square(h);
    const auto v = multiply_lazy(u, hh);
    const auto x = reduced(square_lazy(r) - multiply_lazy(h, hh) - v - v);
    const auto z = multiply(multiply(p.z, q.z), h);
    Point<V, F> twice = p;
    double_point(twice);
    const auto choose = [&](const Element& sum, const Element& doubled, const Element& from_p, const Element& from_q) {
        return Element::choose(q_infinite, from_p,
                               Element::choose(p_infinite, from_q, Element::choose(same_x, doubled, sum)));
    };
    p.x = choose(x, twice.x, p.x, q.x);
    p.z = choose(z, twice.z, p.z, q.z);
    const auto opposite = V::without(V::without(same_x, same_y), V::either(p_infinite, q_infinite));
    return V::either(opposite, V::both(p_infinite, q_infinite));
}

/// The lanes whose canonical x and y, not in Montgomery form, are a point of the curve; that point.
template <typename V, typename Curve>
typename V::Mask enter_point(const Modular<V, typename Curve::Field>& x, const Modular<V, typename Curve::Field>& y,
                             AffinePoint<V, typename Curve::Field>& point) noexcept {
    using Element = Modular<V, typename Curve::Field>;
    point = {enter(x), enter(y)};
    const auto b = enter(Element::constant(Curve::kB));
    const auto cube = multiply_lazy(point.x, square(point.x));
    const auto difference = square_lazy(point.y) - cube + point.x + point.x + point.x - b;
    const auto in_range = V::both(is_canonical(x), is_canonical(y));
    return V::both(in_range, is_zero(leave(reduced(difference))));
}

}  // namespace octavo::kernel::ec
