#pragma once

#include "kernel/ec/ec.hpp"
#include "kernel/ec/scalar_impl.hpp"
#include "kernel/lanes/groups_impl.hpp"

/// Whole batches of ec.hpp: several groups of eight lanes, which share their inversions.
namespace octavo::kernel::ec {

using lanes::GroupOf;
using lanes::groups_of;
using lanes::kMaxGroups;
using lanes::SharedInversion;

/// What the code below is made of, for one curve on one lane type.
template <typename V, typename Curve>
struct Types {
    using Mask = typename V::Mask;
    using Element = Modular<V, typename Curve::Field>;
    using Scalar = Modular<V, typename Curve::Order>;
    using Affine = AffinePoint<V, typename Curve::Field>;
    using Jacobian = Point<V, typename Curve::Field>;

    template <typename Number, typename Job, typename Member>
    static Number read(const Job* jobs, std::size_t count, Member Job::*member) noexcept {
        return lanes::read_jobs<Number, lanes::Order::big_endian, Curve::kLen>(jobs, count, member);
    }
    template <typename Number, typename Job>
    static void write(const Number& number, Mask good, const Job* jobs, std::size_t count,
                      std::uint8_t* Job::*member) noexcept {
        lanes::write_jobs<Number, lanes::Order::big_endian, Curve::kLen>(Number::choose(good, number, Number::zero()),
                                                                         jobs, count, member);
    }
    /// The lanes whose scalar is from 1 to n - 1; the others get 1 in its place, so that nothing they compute is exceptional.
    static Mask check_scalar(Scalar& scalar) noexcept {
        const Mask good = V::without(is_canonical(scalar), is_zero(scalar));
        Scalar one = Scalar::zero();
        one.limb[0] = V::every(1);
        scalar = Scalar::choose(good, scalar, one);
        return good;
    }
    /// The lanes whose coordinates are a point's; the others get G in its place.
    static Mask check_point(const Element& x, const Element& y, Affine& point) noexcept {
        const Mask good = enter_point<V, Curve>(x, y, point);
        const auto& generator = Curve::comb()[0];
        Affine base;
        lanes::repeat<Element::kLimbs>(OCTAVO_EACH(i) {
            base.x.limb[i] = V::every(generator[i][0]);
            base.y.limb[i] = V::every(generator[Element::kLimbs + i][0]);
        });
        point = {Element::choose(good, point.x, base.x), Element::choose(good, point.y, base.y)};
        return good;
    }
};

/// Points waiting for their affine form.
template <typename V, typename Curve>
struct PointsWork {
    using T = Types<V, Curve>;
    typename T::Scalar scalar;
    typename T::Affine peer;
    typename Curve::CombDigits comb_digits;
    typename Curve::WindowDigits window_digits;
    WindowTable<Curve::Field::kLimbs> table;
    typename T::Jacobian points[kMaxGroups];
    typename T::Element z[kMaxGroups];
    SharedInversion<typename T::Element> inverses;
    typename T::Mask good[kMaxGroups];

    void invert_all(std::size_t num) noexcept {
        inverses.begin(z, num);
        inverses.product = invert(inverses.product);
    }
};

template <typename V, typename Curve>
[[gnu::noinline]] void run_keygen(PointsWork<V, Curve>& work, KeygenJob* jobs, std::size_t count) noexcept {
    using T = Types<V, Curve>;
    for (std::size_t g = 0; g < groups_of(count); ++g) {
        const GroupOf group(jobs, count, g);
        work.scalar = T::template read<typename T::Scalar>(group.jobs, group.num, &KeygenJob::scalar);
        work.good[g] = T::check_scalar(work.scalar);
        recode<V>(work.comb_digits, work.scalar);
        multiply_base<V, Curve>(work.points[g], work.comb_digits);
        work.z[g] = work.points[g].z;
    }
    work.invert_all(groups_of(count));
    for (std::size_t g = groups_of(count); g-- > 0;) {
        const GroupOf group(jobs, count, g);
        const auto inverse = work.inverses.next(), square_of_it = square(inverse);
        const auto x = leave(multiply(work.points[g].x, square_of_it));
        const auto y = leave(multiply(work.points[g].y, multiply(inverse, square_of_it)));
        T::write(x, work.good[g], group.jobs, group.num, &KeygenJob::x);
        T::write(y, work.good[g], group.jobs, group.num, &KeygenJob::y);
        lanes::write_ok(work.good[g], group.jobs, group.num);
    }
}

template <typename V, typename Curve>
[[gnu::noinline]] void run_derive(PointsWork<V, Curve>& work, DeriveJob* jobs, std::size_t count) noexcept {
    using T = Types<V, Curve>;
    using Element = typename T::Element;
    for (std::size_t g = 0; g < groups_of(count); ++g) {
        const GroupOf group(jobs, count, g);
        work.scalar = T::template read<typename T::Scalar>(group.jobs, group.num, &DeriveJob::scalar);
        const auto x = T::template read<Element>(group.jobs, group.num, &DeriveJob::x);
        const auto y = T::template read<Element>(group.jobs, group.num, &DeriveJob::y);
        work.good[g] = V::both(T::check_scalar(work.scalar), T::check_point(x, y, work.peer));
        recode<V>(work.window_digits, work.scalar);
        fill_table(work.table, work.peer);
        multiply_point<V, Curve>(work.points[g], work.window_digits, work.table);
        work.z[g] = work.points[g].z;
    }
    work.invert_all(groups_of(count));
    for (std::size_t g = groups_of(count); g-- > 0;) {
        const GroupOf group(jobs, count, g);
        const auto x = leave(multiply(work.points[g].x, square(work.inverses.next())));
        T::write(x, work.good[g], group.jobs, group.num, &DeriveJob::shared);
        lanes::write_ok(work.good[g], group.jobs, group.num);
    }
}

template <typename V, typename Curve>
struct SignWork {
    using T = Types<V, Curve>;
    typename Curve::CombDigits digits;
    typename T::Jacobian point;
    typename T::Element x[kMaxGroups], z[kMaxGroups];
    typename T::Scalar nonce[kMaxGroups], key[kMaxGroups], digest[kMaxGroups];
    typename T::Mask good[kMaxGroups];
    SharedInversion<typename T::Element> z_inverses;
    SharedInversion<typename T::Scalar> nonce_inverses;
};

/// FIPS 186-5, 6.4.1, steps 2 to 5 for one group: the point of the nonce, not yet affine.
template <typename V, typename Curve>
[[gnu::noinline]] void start_signatures(SignWork<V, Curve>& work, std::size_t g,
                                        const GroupOf<SignJob>& group) noexcept {
    using T = Types<V, Curve>;
    using Scalar = typename T::Scalar;
    Scalar& nonce = work.nonce[g];
    nonce = T::template read<Scalar>(group.jobs, group.num, &SignJob::nonce);
    work.key[g] = T::template read<Scalar>(group.jobs, group.num, &SignJob::scalar);
    work.digest[g] = T::template read<Scalar>(group.jobs, group.num, &SignJob::digest);
    work.good[g] = V::both(T::check_scalar(nonce), T::check_scalar(work.key[g]));
    recode<V>(work.digits, nonce);
    multiply_base<V, Curve>(work.point, work.digits);
    work.x[g] = work.point.x;
    work.z[g] = work.point.z;
    nonce = enter(nonce);
}

/// A number less than p as one modulo n: p < 2 n.
template <typename V, typename Curve>
Modular<V, typename Curve::Order> modulo_order(const Modular<V, typename Curve::Field>& x) noexcept {
    Modular<V, typename Curve::Order> result;
    lanes::repeat<Curve::Field::kLimbs>(OCTAVO_EACH(i) { result.limb[i] = x.limb[i]; });
    return subtract_once(result);
}

/// Steps 6 to 10: r = x mod n, s = (e + r d) / k.
template <typename V, typename Curve>
[[gnu::noinline]] void finish_signatures(SignWork<V, Curve>& work, std::size_t g,
                                         const GroupOf<SignJob>& group) noexcept {
    using T = Types<V, Curve>;
    const auto zz = square(work.z_inverses.next());
    const auto r = modulo_order<V, Curve>(leave(multiply(work.x[g], zz)));
    const auto sum = carried(multiply(enter(r), work.key[g]) + work.digest[g]);
    const auto s = canonical(multiply(sum, work.nonce_inverses.next()));
    const auto good = V::without(V::without(work.good[g], is_zero(r)), is_zero(s));
    T::write(r, good, group.jobs, group.num, &SignJob::r);
    T::write(s, good, group.jobs, group.num, &SignJob::s);
    lanes::write_ok(good, group.jobs, group.num);
}

template <typename V, typename Curve>
[[gnu::noinline]] void run_sign(SignWork<V, Curve>& work, SignJob* jobs, std::size_t count) noexcept {
    using Field = typename Curve::Field;
    using Order = typename Curve::Order;
    using T = Types<V, Curve>;
    const std::size_t num = groups_of(count);
    for (std::size_t g = 0; g < num; ++g) start_signatures(work, g, GroupOf(jobs, count, g));
    work.z_inverses.begin(work.z, num);
    work.nonce_inverses.begin(work.nonce, num);
    lanes::Inversion<V, Field> z(canonical(work.z_inverses.product), T::Element::constant(Field::kModulus.square));
    lanes::Inversion<V, Order> nonce(canonical(work.nonce_inverses.product),
                                     T::Scalar::constant(Order::kModulus.square));
    lanes::run_inversions<V>(z, nonce);
    work.z_inverses.product = z.result();
    work.nonce_inverses.product = nonce.result();
    for (std::size_t g = num; g-- > 0;) finish_signatures(work, g, GroupOf(jobs, count, g));
}

template <typename V, typename Curve>
struct VerifyWork {
    using T = Types<V, Curve>;
    typename Curve::CombDigits comb_digits;
    typename Curve::WindowDigits window_digits;
    WindowTable<Curve::Field::kLimbs> table;
    typename T::Affine key[kMaxGroups];
    typename T::Scalar r[kMaxGroups], s[kMaxGroups], digest[kMaxGroups];
    typename T::Mask good[kMaxGroups];
    SharedInversion<typename T::Scalar> inverses;
};

/// FIPS 186-5, 6.4.2, steps 1 and 2, and the key's own check.
template <typename V, typename Curve>
[[gnu::noinline]] void start_verifications(VerifyWork<V, Curve>& work, std::size_t g,
                                           const GroupOf<VerifyJob>& group) noexcept {
    using T = Types<V, Curve>;
    using Element = typename T::Element;
    using Scalar = typename T::Scalar;
    work.r[g] = T::template read<Scalar>(group.jobs, group.num, &VerifyJob::r);
    work.s[g] = T::template read<Scalar>(group.jobs, group.num, &VerifyJob::s);
    work.digest[g] = T::template read<Scalar>(group.jobs, group.num, &VerifyJob::digest);
    const auto x = T::template read<Element>(group.jobs, group.num, &VerifyJob::x);
    const auto y = T::template read<Element>(group.jobs, group.num, &VerifyJob::y);
    const auto numbers = V::both(T::check_scalar(work.r[g]), T::check_scalar(work.s[g]));
    work.good[g] = V::both(numbers, T::check_point(x, y, work.key[g]));
    work.s[g] = enter(work.s[g]);
}

/// Whether x = r (mod n) for the point's affine x, without an inversion: X = r Z^2 or, where r + n < p, X = (r + n) Z^2.
template <typename V, typename Curve>
typename V::Mask has_x(const Point<V, typename Curve::Field>& point,
                       const Modular<V, typename Curve::Order>& r) noexcept {
    using Element = typename Types<V, Curve>::Element;
    Element low;
    lanes::repeat<Element::kLimbs>(OCTAVO_EACH(i) { low.limb[i] = r.limb[i]; });
    const auto high = carried(low + Element::constant(Curve::Order::kModulus.n));
    const auto zz = square(point.z);
    const auto matches = [&](const Element& x) {
        return is_zero(leave(reduced(multiply_lazy(enter(x), zz) - point.x)));
    };
    return V::either(matches(low), V::both(is_canonical(high), matches(high)));
}

/// Steps 4 to 8, given 1 / s.
template <typename V, typename Curve>
[[gnu::noinline]] void finish_verifications(VerifyWork<V, Curve>& work, std::size_t g,
                                            const GroupOf<VerifyJob>& group) noexcept {
    const auto inverse = work.inverses.next();
    typename Types<V, Curve>::Jacobian sum, of_key;
    recode<V>(work.comb_digits, canonical(multiply(work.digest[g], inverse)));
    recode<V>(work.window_digits, canonical(multiply(work.r[g], inverse)));
    fill_table(work.table, work.key[g]);
    const auto sum_infinite = multiply_base<V, Curve>(sum, work.comb_digits);
    const auto key_infinite = multiply_point<V, Curve>(of_key, work.window_digits, work.table);
    const auto infinite = add_points(sum, sum_infinite, of_key, key_infinite);
    lanes::write_ok(V::without(V::both(work.good[g], has_x<V, Curve>(sum, work.r[g])), infinite), group.jobs,
                    group.num);
}

template <typename V, typename Curve>
[[gnu::noinline]] void run_verify(VerifyWork<V, Curve>& work, VerifyJob* jobs, std::size_t count) noexcept {
    const std::size_t num = groups_of(count);
    for (std::size_t g = 0; g < num; ++g) start_verifications(work, g, GroupOf(jobs, count, g));
    work.inverses.begin(work.s, num);
    work.inverses.product = invert(work.inverses.product);
    for (std::size_t g = num; g-- > 0;) finish_verifications(work, g, GroupOf(jobs, count, g));
}

}  // namespace octavo::kernel::ec
