#pragma once

#include "kernel/curve25519/edwards_impl.hpp"
#include "kernel/lanes/groups_impl.hpp"
#include "kernel/x25519/x25519.hpp"

/// X25519 batches on a lane type V.
namespace octavo::kernel::x25519 {

using curve25519::Factor;
using curve25519::kLimbs;
using curve25519::Sum;
using lanes::GroupOf;
using lanes::groups_of;
using lanes::kMaxGroups;
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

/// A factor of many products: row i is 2^(52 i) times the factor, modulo p. So a product has six columns, of which one is folded.
template <typename V>
struct SharedFactor {
    Lanes row[kLimbs][kLimbs];

    void set(Factor<V> factor) noexcept {
        repeat<kLimbs>(OCTAVO_EACH(i) {
            repeat<kLimbs>(OCTAVO_EACH(j) { factor.limb[j].store(&row[i][j]); });
            Sum<V> next;
            repeat<kLimbs - 1>(OCTAVO_EACH(j) { next.limb[j + 1] = factor.limb[j].low(); });
            next.limb[0] = V::madd_low(V::zero(), factor.limb[kLimbs - 1], V::every(608));
            next.limb[1] = V::madd_high(next.limb[1], factor.limb[kLimbs - 1], V::every(608));
            factor = curve25519::factor_of_sum(next);
        });
    }
};

template <typename V>
struct SharedProduct {
    V column[kLimbs + 1];

    SharedProduct() {
        repeat<kLimbs + 1>(OCTAVO_EACH(i) { column[i] = V::zero(); });
    }
    template <int i>
    [[gnu::always_inline]] void add_row(const SharedFactor<V>& a, const Factor<V>& b) {
        repeat<kLimbs>(OCTAVO_EACH(j) { column[j] = V::madd_low(column[j], b.limb[i], V::load(&a.row[i][j])); });
        repeat<kLimbs>(
            OCTAVO_EACH(j) { column[j + 1] = V::madd_high(column[j + 1], b.limb[i], V::load(&a.row[i][j])); });
    }
    /// The sixth column is made of high halves of products by limbs of 48 bits: less than 2^52.
    [[gnu::always_inline]] Sum<V> sum() const {
        Sum<V> result;
        repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = column[i]; });
        result.limb[0] = V::madd_low(result.limb[0], column[kLimbs], V::every(608));
        result.limb[1] = V::madd_high(result.limb[1], column[kLimbs], V::every(608));
        return result;
    }
};

/// One of two factors in each lane. By blends: masked stores would leave the ports free that compute, but a load after one takes a time
/// that depends on its mask, which is secret here.
template <typename V>
[[gnu::always_inline]] inline Factor<V> choose(typename V::Mask chosen, const Factor<V>& yes, const Factor<V>& no) {
    Factor<V> result;
    repeat<kLimbs>(OCTAVO_EACH(i) { result.limb[i] = V::choose(chosen, yes.limb[i], no.limb[i]); });
    return result;
}

/// The running pair of RFC 7748's ladder. x2 and x3 begin above products, so that z2 and z3 can be subtracted.
template <typename V>
struct Ladder {
    Sum<V> x2, z2, x3, z3;
};

/// One step. Instead of both points only the sum and difference to be squared are swapped: the cross products' sum is the same either way,
/// and of their difference, which is squared, only the sign changes. Of the orders tried it is the one that takes least time: the ports that
/// multiply and add have hardly a cycle without work.
template <typename V>
[[gnu::always_inline]] inline void step(Ladder<V>& l, const SharedFactor<V>& x1, typename V::Mask swap) {
    using curve25519::factor_of_sum;
    using curve25519::multiply_pair;
    using curve25519::square_pair;
    constexpr auto kAbove = curve25519::Start::above_products, kZero = curve25519::Start::zero;
    const auto a = factor_of_sum(l.x2 + l.z2), b = factor_of_sum(l.x2 - l.z2);
    const auto c = factor_of_sum(l.x3 + l.z3), d = factor_of_sum(l.x3 - l.z3);
    const auto sum = choose<V>(swap, c, a), difference = choose<V>(swap, d, b);
    const auto [da, cb] = multiply_pair<kAbove, kZero>(d, a, c, b);
    const auto [aa, bb] = square_pair<kAbove, kZero>(sum, difference);
    const auto [x3, dd] = square_pair<kAbove, kZero>(factor_of_sum(da + cb), factor_of_sum(da - cb));
    const auto e = factor_of_sum(aa - bb), g = factor_of_sum(add_small_multiple(aa, e)), f = factor_of_sum(dd);
    SharedProduct<V> z3;
    V x2[2 * kLimbs];
    const auto aa_factor = factor_of_sum(aa), bb_factor = factor_of_sum(bb);
    curve25519::start_columns<V, kAbove, false>(x2);
    repeat<kLimbs>(OCTAVO_EACH(i) {
        z3.template add_row<i>(x1, f);
        curve25519::add_product_row<i>(x2, aa_factor, bb_factor);
    });
    l.x2 = curve25519::fold(x2);
    l.z2 = curve25519::multiply_inline(e, g);
    l.x3 = x3, l.z3 = z3.sum();
}

/// (x : z) = 2 (x : z), where no limb of x - z is negative; nor is one after it.
template <typename V>
[[gnu::noinline]] void double_point(Sum<V>& x, Sum<V>& z) noexcept {
    using curve25519::factor_of_sum;
    constexpr auto kAbove = curve25519::Start::above_products, kZero = curve25519::Start::zero;
    const auto [aa, bb] = curve25519::square_pair<kAbove, kZero>(factor_of_sum(x + z), factor_of_sum(x - z));
    const auto e = factor_of_sum(aa - bb);
    x = curve25519::multiply_inline<kAbove>(factor_of_sum(aa), factor_of_sum(bb));
    z = curve25519::multiply_inline(e, factor_of_sum(add_small_multiple(aa, e)));
}

/// Fractions of several groups, divided at the price of one inversion: `set` each, `divide`, then `next` gives them, last group first.
template <typename V>
class Fractions {
public:
    void set(std::size_t group, const Sum<V>& numerator, const Sum<V>& denominator) noexcept {
        numerators_[group] = curve25519::factor(numerator);
        infinite_[group] = is_zero(canonical(denominator));
        // nothing that a lane divides by may be zero, or what all lanes of all groups divide by would be
        denominators_[group] = curve25519::factor(Sum<V>::choose(infinite_[group], Sum<V>::small(1), denominator));
    }
    void divide(std::size_t num) noexcept {
        num_ = num;
        inverses_.begin(denominators_, num);
        inverses_.product = curve25519::inverse_of_lanes(inverses_.product);
    }
    /// Canonical; 0 where the denominator is 0.
    Number<V> next() noexcept {
        const auto result = canonical(curve25519::multiply(numerators_[--num_], inverses_.next()));
        return Number<V>::choose(infinite_[num_], Number<V>::zero(), result);
    }

private:
    Factor<V> numerators_[kMaxGroups], denominators_[kMaxGroups];
    typename V::Mask infinite_[kMaxGroups];
    lanes::SharedInversion<Factor<V>> inverses_;
    std::size_t num_;
};

template <typename V>
struct DeriveWork {
    Number<V> scalar, result;
    Lanes swaps[kLimbs];  ///< of the scalar's bits, where each differs from the next higher one
    Ladder<V> ladder;
    SharedFactor<V> x1;
    Fractions<V> shared;
};

/// Of every clamped scalar the first bit is set and the last three are clear.
inline constexpr int kFirstBit = 254, kClearBits = 3;

/// Made at once, so that a step spends one instruction on its swap.
template <typename V>
void store_swaps(Lanes* swaps, const Number<V>& scalar) noexcept {
    repeat<kLimbs>(OCTAVO_EACH(i) {
        V next = scalar.limb[i].template shifted_right<1>();
        if constexpr (i + 1 < kLimbs) next = next | scalar.limb[i + 1].template shifted_left<lanes::kLimbBits - 1>();
        (scalar.limb[i] ^ next).store(swaps + i);
    });
}

/// The steps of the bits between those.
template <typename V>
[[gnu::noinline]] void walk(DeriveWork<V>& work) noexcept {
    Ladder<V> ladder{work.ladder.x2, work.ladder.z2, work.ladder.x3, work.ladder.z3};
    for (int t = kFirstBit - 1; t >= kClearBits; --t) {
        const V word = V::load(work.swaps + t / lanes::kLimbBits);
        const Limb bit = Limb{1} << (t % lanes::kLimbBits);
        step(ladder, work.x1, word.has_bits(V::every_at(&bit)));
    }
    work.ladder.x2 = ladder.x2, work.ladder.z2 = ladder.z2, work.ladder.x3 = ladder.x3, work.ladder.z3 = ladder.z3;
}

/// X / Z of scalar times the point at u. The first bit makes the pair the point and its double; the last three double one point, and need not the
/// other.
template <typename V>
[[gnu::noinline]] void climb(DeriveWork<V>& work) noexcept {
    store_swaps(work.swaps, work.scalar);
    Ladder<V>& ladder = work.ladder;
    ladder.x3 = ladder.x3 + Sum<V>::constant(curve25519::kAboveProducts);
    ladder.z3 = Sum<V>::small(1);
    ladder.x2 = ladder.x3, ladder.z2 = ladder.z3;
    double_point(ladder.x2, ladder.z2);
    walk(work);
    const auto last = work.scalar.limb[0].has_bits(V::every(1 << kClearBits));
    ladder.x2 = Sum<V>::choose(last, ladder.x3, ladder.x2);
    ladder.z2 = Sum<V>::choose(last, ladder.z3, ladder.z2);
    for (int i = 0; i < kClearBits; ++i) double_point(ladder.x2, ladder.z2);
}

template <typename V>
[[gnu::noinline]] void run_derive(DeriveWork<V>& work, DeriveJob* jobs, std::size_t count) noexcept {
    for (std::size_t g = 0; g < groups_of(count); ++g) {
        const GroupOf group(jobs, count, g);
        work.scalar = read<V>(group.jobs, group.num, &DeriveJob::scalar);
        clamp(work.scalar);
        Number<V> u = read<V>(group.jobs, group.num, &DeriveJob::u);
        u.limb[4] = u.limb[4] & V::every((Limb{1} << 47) - 1);
        work.ladder.x3 = curve25519::sum_of(u);
        work.x1.set(curve25519::factor_of_sum(work.ladder.x3));
        climb(work);
        work.shared.set(g, work.ladder.x2, work.ladder.z2);
    }
    work.shared.divide(groups_of(count));
    for (std::size_t g = groups_of(count); g-- > 0;) {
        const GroupOf group(jobs, count, g);
        work.result = work.shared.next();
        lanes::write_jobs<Number<V>, lanes::Order::little_endian, kLen>(work.result, group.jobs, group.num,
                                                                        &DeriveJob::shared);
        lanes::write_ok(V::opposite(is_zero(work.result)), group.jobs, group.num);
    }
}

template <typename V>
struct KeygenWork {
    Number<V> scalar;
    curve25519::CombDigits digits;
    curve25519::Point<V> point;
    Fractions<V> keys;
};

/// The same key on the Edwards curve, where the base point has a comb: u = (1 + y) / (1 - y) (RFC 7748, 4.1).
template <typename V>
[[gnu::noinline]] void run_keygen(KeygenWork<V>& work, KeygenJob* jobs, std::size_t count) noexcept {
    for (std::size_t g = 0; g < groups_of(count); ++g) {
        const GroupOf group(jobs, count, g);
        work.scalar = read<V>(group.jobs, group.num, &KeygenJob::scalar);
        clamp(work.scalar);
        ec::recode<V>(work.digits, work.scalar);
        multiply_base(work.point, work.digits);
        work.keys.set(g, work.point.z + work.point.y, work.point.z - work.point.y);
    }
    work.keys.divide(groups_of(count));
    for (std::size_t g = groups_of(count); g-- > 0;) {
        const GroupOf group(jobs, count, g);
        lanes::write_jobs<Number<V>, lanes::Order::little_endian, kLen>(work.keys.next(), group.jobs, group.num,
                                                                        &KeygenJob::public_key);
        lanes::write_ok(V::opposite(typename V::Mask{}), group.jobs, group.num);
    }
}

}  // namespace octavo::kernel::x25519
