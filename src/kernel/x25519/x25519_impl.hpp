#pragma once

#include "base/wipe.hpp"
#include "kernel/curve25519/edwards_impl.hpp"
#include "kernel/lanes/bytes_impl.hpp"
#include "kernel/lanes/clean_stack.hpp"
#include "kernel/x25519/x25519.hpp"

/// X25519 batches on a lane type V.
namespace octavo::kernel::x25519 {

using curve25519::Factor;
using curve25519::kLimbs;
using curve25519::Sum;
using lanes::Lanes;
using lanes::Limb;
using lanes::repeat;

template <typename V>
using Number = lanes::Modular<V, curve25519::Field>;

template <typename V, typename Job, typename Member>
Number<V> read(const Job* jobs, std::size_t count, Member Job::*member) noexcept {
    return lanes::read_jobs<Number<V>, lanes::Order::little_endian, kLen>(jobs, count, member);
}

/// RFC 7748, 5: decodeScalar25519.
template <typename V>
void clamp(Number<V>& scalar) noexcept {
    constexpr Limb kBit254 = Limb{1} << (254 - 4 * lanes::kLimbBits);
    scalar.limb[0] = scalar.limb[0] & V::every(lanes::kLimbMask - 7);
    scalar.limb[4] = (scalar.limb[4] & V::every(kBit254 - 1)) | V::every(kBit254);
}

/// a24 e + a, for e below 2^257.
template <typename V>
[[gnu::always_inline]] inline Sum<V> add_small_multiple(Sum<V> a, const Factor<V>& e) {
    const V a24 = V::every(121665);
    V above = V::zero();
    repeat<kLimbs>(OCTAVO_EACH(i) { a.limb[i] = V::madd_low(a.limb[i], e.limb[i], a24); });
    repeat<kLimbs>(OCTAVO_EACH(i) {
        V& to = i + 1 < kLimbs ? a.limb[(i + 1) % kLimbs] : above;
        to = V::madd_high(to, e.limb[i], a24);
    });
    a.limb[0] = V::madd_low(a.limb[0], above, V::every(608));
    return a;
}

/// The running pair of RFC 7748's ladder. x2 and x3 begin above products, so that z2 and z3 can be subtracted.
template <typename V>
struct Ladder {
    Sum<V> x2, z2, x3, z3;
};

/// One step. Instead of both points only the sum and difference to be squared are swapped: the cross products' sum is the same either way,
/// and of their difference, which is squared, only the sign changes.
template <typename V>
[[gnu::always_inline]] inline void step(Ladder<V>& l, const Factor<V>& x1, typename V::Mask swap) {
    using curve25519::factor_of_sum;
    using curve25519::multiply_inline;
    using curve25519::square_inline;
    constexpr auto kAbove = curve25519::Start::above_products;
    const auto a = factor_of_sum(l.x2 + l.z2), b = factor_of_sum(l.x2 - l.z2);
    const auto c = factor_of_sum(l.x3 + l.z3), d = factor_of_sum(l.x3 - l.z3);
    Factor<V> sum, difference;
    repeat<kLimbs>(OCTAVO_EACH(i) {
        sum.limb[i] = V::choose(swap, c.limb[i], a.limb[i]);
        difference.limb[i] = V::choose(swap, d.limb[i], b.limb[i]);
    });
    const auto da = multiply_inline<kAbove>(d, a), cb = multiply_inline(c, b);
    const auto aa = square_inline<kAbove>(sum), bb = square_inline(difference);
    l.x3 = square_inline<kAbove>(factor_of_sum(da + cb));
    const auto e = factor_of_sum(aa - bb);
    l.x2 = multiply_inline<kAbove>(factor_of_sum(aa), factor_of_sum(bb));
    l.z3 = multiply_inline(x1, factor_of_sum(square_inline(factor_of_sum(da - cb))));
    l.z2 = multiply_inline(e, factor_of_sum(add_small_multiple(aa, e)));
}

template <typename V>
struct DeriveWork {
    Number<V> scalar, result;
    Lanes bits[kLimbs];
    Ladder<V> ladder;
    Factor<V> x1;
};

/// X / Z of scalar times the point at u.
template <typename V>
[[gnu::noinline]] void climb(DeriveWork<V>& work) noexcept {
    work.scalar.store(work.bits);
    const auto above = Sum<V>::constant(curve25519::kAboveProducts), one = Sum<V>::small(1);
    Ladder<V> ladder{above + one, Sum<V>::small(0), above + work.ladder.x3, one};
    const Factor<V> x1 = work.x1;
    typename V::Mask last = V::every(1).is_zero();
    for (int t = 254; t >= 0; --t) {
        const V word = V::load(work.bits + t / lanes::kLimbBits);
        const auto bit = word.has_bits(V::every(Limb{1} << (t % lanes::kLimbBits)));
        step(ladder, x1, V::differ(bit, last));
        last = bit;
    }
    work.ladder.x2 = Sum<V>::choose(last, ladder.x3, ladder.x2);
    work.ladder.z2 = Sum<V>::choose(last, ladder.z3, ladder.z2);
}

template <typename V>
[[gnu::noinline]] void derive_group(DeriveWork<V>& work, DeriveJob* jobs, std::size_t count) noexcept {
    work.scalar = read<V>(jobs, count, &DeriveJob::scalar);
    clamp(work.scalar);
    Number<V> u = read<V>(jobs, count, &DeriveJob::u);
    u.limb[4] = u.limb[4] & V::every((Limb{1} << 47) - 1);
    work.ladder.x3 = curve25519::sum_of(u);
    work.x1 = curve25519::factor_of_sum(work.ladder.x3);
    climb(work);
    work.result = canonical(quotient(work.ladder.x2, work.ladder.z2));
    lanes::write_jobs<Number<V>, lanes::Order::little_endian, kLen>(work.result, jobs, count, &DeriveJob::shared);
    lanes::write_ok(V::opposite(is_zero(work.result)), jobs, count);
}

template <typename V>
struct KeygenWork {
    Number<V> scalar;
    curve25519::CombDigits digits;
    curve25519::Point<V> point;
};

/// The same key on the Edwards curve, where the base point has a comb: u = (1 + y) / (1 - y) (RFC 7748, 4.1).
template <typename V>
[[gnu::noinline]] void keygen_group(KeygenWork<V>& work, KeygenJob* jobs, std::size_t count) noexcept {
    work.scalar = read<V>(jobs, count, &KeygenJob::scalar);
    clamp(work.scalar);
    ec::recode<V>(work.digits, work.scalar);
    multiply_base(work.point, work.digits);
    const auto u = canonical(quotient(work.point.z + work.point.y, work.point.z - work.point.y));
    lanes::write_jobs<Number<V>, lanes::Order::little_endian, kLen>(u, jobs, count, &KeygenJob::public_key);
    lanes::write_ok(V::opposite(typename V::Mask{}), jobs, count);
}

/// Runs a batch group by group in memory of its own, and wipes that and what lies below it on the stack.
template <typename Work, typename Job>
[[gnu::always_inline]] inline void run_wiped(void (*run)(Work&, Job*, std::size_t) noexcept, Job* jobs,
                                             std::size_t count) {
    constexpr std::size_t kGroup = lanes::kLaneCount;
    {
        Work work;
        const WipeOnExit wiper(work);
        for (std::size_t i = 0; i < count; i += kGroup) run(work, jobs + i, count - i < kGroup ? count - i : kGroup);
    }
    lanes::clean_stack();
}

}  // namespace octavo::kernel::x25519
