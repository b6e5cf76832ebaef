#pragma once

#include "kernel/curve25519/edwards_impl.hpp"
#include "kernel/ed25519/ed25519.hpp"
#include "kernel/lanes/groups_impl.hpp"
#include "kernel/lanes/sha2_impl.hpp"

/// Ed25519 batches on a lane type V.
namespace octavo::kernel::ed25519 {

using curve25519::Addend;
using curve25519::factor;
using curve25519::Factor;
using curve25519::factor_of_sum;
using curve25519::kLimbs;
using curve25519::Point;
using curve25519::Sum;
using lanes::HashInput;
using lanes::kLaneCount;
using lanes::Lanes;
using lanes::Limb;
using lanes::repeat;

template <typename V>
using Number = lanes::Modular<V, curve25519::Field>;
template <typename V>
using Scalar = lanes::Modular<V, curve25519::Order>;

/// A digest, or two numbers of 32 bytes, of each lane.
using LaneBytes = std::uint8_t[kLaneCount][lanes::kHashLen];

/// The 32 bytes at `offset` of each lane, little-endian.
template <typename Element>
Element read_lanes(const LaneBytes& bytes, std::size_t offset) noexcept {
    Lanes limbs[kLimbs];
    for (int l = 0; l < kLaneCount; ++l)
        lanes::read_lane<lanes::Order::little_endian, 32, kLimbs>(limbs, l, bytes[l] + offset);
    return Element::load(limbs);
}

template <typename Element>
void write_lanes(LaneBytes& bytes, std::size_t offset, const Element& number) noexcept {
    Lanes limbs[kLimbs];
    number.store(limbs);
    for (int l = 0; l < kLaneCount; ++l)
        lanes::write_lane<lanes::Order::little_endian, 32, kLimbs>(bytes[l] + offset, limbs, l);
}

/// A digest as a number modulo L: low + high 2^260, by Montgomery products with R = 2^260.
template <typename V>
[[gnu::noinline]] Scalar<V> scalar_of_digest(const LaneBytes& digests) noexcept {
    Lanes limbs[2 * kLimbs];
    for (int l = 0; l < kLaneCount; ++l)
        lanes::read_lane<lanes::Order::little_endian, lanes::kHashLen, 2 * kLimbs>(limbs, l, digests[l]);
    const auto low = Scalar<V>::load(limbs), high = Scalar<V>::load(limbs + kLimbs);
    return leave(carried(enter(low) + enter(enter(high))));
}

/// The scalar of a hashed seed (RFC 8032, 5.1.5, step 2).
template <typename V>
Scalar<V> clamped_scalar(const LaneBytes& digests) noexcept {
    constexpr Limb kBit254 = Limb{1} << (254 - 4 * lanes::kLimbBits);
    auto scalar = read_lanes<Scalar<V>>(digests, 0);
    scalar.limb[0] = scalar.limb[0] & V::every(lanes::kLimbMask - 7);
    scalar.limb[4] = (scalar.limb[4] & V::every(kBit254 - 1)) | V::every(kBit254);
    return scalar;
}

/// The encoding of a point (RFC 8032, 5.1.2) as a number of 256 bits.
template <typename V>
[[gnu::noinline]] Number<V> encode(const Point<V>& p) noexcept {
    const auto inverse = curve25519::inverse(p.z);
    const auto x = canonical(multiply(factor(p.x), inverse));
    auto y = canonical(multiply(factor(p.y), inverse));
    y.limb[4] = y.limb[4] | (x.limb[0] & V::every(1)).template shifted_left<47>();
    return y;
}

template <typename V>
struct SignWork {
    LaneBytes hashed_seed, digest, heads;
    Scalar<V> key, nonce, challenge;
    curve25519::CombDigits digits;
    Point<V> point;
    HashInput inputs[kLaneCount];
};

/// The encoding of scalar * B.
template <typename V>
Number<V> encoded_multiple(SignWork<V>& work, const Scalar<V>& scalar) noexcept {
    ec::recode<V>(work.digits, scalar);
    multiply_base(work.point, work.digits);
    return encode(work.point);
}

/// work.hashed_seed and work.key from each job's seed; lanes without a job take the first one's.
template <typename V, typename Job>
void hash_seeds(SignWork<V>& work, const Job* jobs, std::size_t count) noexcept {
    for (std::size_t l = 0; l < kLaneCount; ++l) work.inputs[l] = {jobs[l < count ? l : 0].seed, kKeyLen, nullptr, 0};
    lanes::sha512<V>(work.hashed_seed, work.inputs);
    work.key = clamped_scalar<V>(work.hashed_seed);
}

template <typename V>
[[gnu::noinline]] void keygen_group(SignWork<V>& work, KeygenJob* jobs, std::size_t count) noexcept {
    hash_seeds(work, jobs, count);
    lanes::write_jobs<Number<V>, lanes::Order::little_endian, kKeyLen>(encoded_multiple(work, work.key), jobs, count,
                                                                       &KeygenJob::public_key);
    lanes::write_ok(V::opposite(typename V::Mask{}), jobs, count);
}

/// RFC 8032, 5.1.6: the nonce from the second half of the hashed seed, R, the challenge from R and the public key, S.
template <typename V>
[[gnu::noinline]] void sign_group(SignWork<V>& work, SignJob* jobs, std::size_t count) noexcept {
    const auto job_of = [&](std::size_t l) -> const SignJob& { return jobs[l < count ? l : 0]; };
    hash_seeds(work, jobs, count);
    for (std::size_t l = 0; l < kLaneCount; ++l)
        work.inputs[l] = {work.hashed_seed[l] + kKeyLen, kKeyLen, job_of(l).message, job_of(l).len};
    lanes::sha512<V>(work.digest, work.inputs);
    work.nonce = scalar_of_digest<V>(work.digest);
    write_lanes(work.heads, 0, encoded_multiple(work, work.nonce));
    for (std::size_t l = 0; l < kLaneCount; ++l) {
        std::memcpy(work.heads[l] + kKeyLen, job_of(l).public_key, kKeyLen);
        work.inputs[l] = {work.heads[l], 2 * kKeyLen, job_of(l).message, job_of(l).len};
    }
    lanes::sha512<V>(work.digest, work.inputs);
    work.challenge = scalar_of_digest<V>(work.digest);
    write_lanes(work.heads, kKeyLen, canonical(carried(multiply(enter(work.challenge), work.key) + work.nonce)));
    for (std::size_t l = 0; l < count; ++l) std::memcpy(jobs[l].signature, work.heads[l], kSignatureLen);
    lanes::write_ok(V::opposite(typename V::Mask{}), jobs, count);
}

/// x^(2^kTimes)
template <typename V, int kTimes>
[[gnu::noinline]] Factor<V> squared(Factor<V> x) noexcept {
    for (int i = 0; i < kTimes; ++i) x = factor_of_sum(curve25519::square_inline(x));
    return x;
}

/// x^((p - 5) / 8), which is x^(2^252 - 3).
template <typename V>
[[gnu::noinline]] Factor<V> root_power(const Factor<V>& x) noexcept {
    const auto times = [](const Factor<V>& a, const Factor<V>& b) { return factor_of_sum(multiply(a, b)); };
    const auto x2 = times(squared<V, 1>(x), x);  // x^(2^2 - 1), and so on
    const auto x4 = times(squared<V, 2>(x2), x2);
    const auto x5 = times(squared<V, 1>(x4), x);
    const auto x10 = times(squared<V, 5>(x5), x5);
    const auto x20 = times(squared<V, 10>(x10), x10);
    const auto x40 = times(squared<V, 20>(x20), x20);
    const auto x50 = times(squared<V, 10>(x40), x10);
    const auto x100 = times(squared<V, 50>(x50), x50);
    const auto x200 = times(squared<V, 100>(x100), x100);
    const auto x250 = times(squared<V, 50>(x200), x50);
    return times(squared<V, 2>(x250), x);
}

template <typename V>
Factor<V> constant_factor(const lanes::Number<kLimbs>& number) noexcept {
    return factor_of_sum(Sum<V>::constant(number));
}

/// p = minus the point that 256 bits encode (RFC 8032, 5.1.3); the answer tells in which lanes there is one.
template <typename V>
[[gnu::noinline]] typename V::Mask decode_negative(Point<V>& p, Number<V> encoded) noexcept {
    constexpr Limb kSign = Limb{1} << 47;
    const auto odd = encoded.limb[4].has_bits(V::every(kSign));
    encoded.limb[4] = encoded.limb[4] & V::every(kSign - 1);
    const auto one = Sum<V>::small(1), y = curve25519::sum_of(encoded);
    const auto yf = factor_of_sum(y);
    const auto yy = square(yf);
    const auto u = factor(yy - one),
               v = factor_of_sum(multiply(factor_of_sum(yy), constant_factor<V>(curve25519::kD)) + one);
    const auto v3 = factor_of_sum(multiply(factor_of_sum(square(v)), v));
    const auto uv3 = factor_of_sum(multiply(u, v3));
    const auto uv7 = factor_of_sum(multiply(uv3, factor_of_sum(multiply(v3, v))));
    const auto root = factor_of_sum(multiply(uv3, root_power(uv7)));
    const auto vxx = multiply(v, factor_of_sum(square(root)));
    const auto u_sum = yy - one;
    const auto is_root = is_zero(canonical(vxx - u_sum)), is_other = is_zero(canonical(vxx + u_sum));
    const auto other = multiply(root, constant_factor<V>(curve25519::kRootOfMinusOne));
    const auto x = canonical(Sum<V>::choose(is_root, multiply(root, constant_factor<V>({{1}})), other));
    const auto x_odd = x.limb[0].has_bits(V::every(1)), x_zero = is_zero(x);
    // minus the point: the sign is the other one
    const auto wrong_sign = V::opposite(V::differ(x_odd, odd));
    p.x = curve25519::sum_of(canonical(Sum<V>::negate_where(wrong_sign, curve25519::sum_of(x))));
    p.y = y;
    p.z = one;
    p.t = multiply(factor_of_sum(p.x), yf);
    return V::without(V::both(is_canonical(encoded), V::either(is_root, is_other)), V::both(x_zero, odd));
}

/// 0 to 8 times a point, prepared to be added.
inline constexpr int kWindow = 4, kTableSize = (1 << (kWindow - 1)) + 1;
using WindowDigits = ec::Digits<kWindow, 253>;
template <typename V>
struct Prepared {
    Addend<V> addend;
    Factor<V> twice_z;
};

template <typename V>
Prepared<V> prepared(const Point<V>& p) noexcept {
    return {{factor(p.y + p.x), factor(p.y - p.x),
             factor_of_sum(multiply(factor(p.t), constant_factor<V>(curve25519::kTwiceD)))},
            factor_of_sum(p.z + p.z)};
}

template <bool kWithT, typename V>
void add_prepared(Point<V>& p, const Prepared<V>& q, typename V::Mask negative) noexcept {
    add<kWithT>(p, q.addend, multiply(factor_of_sum(p.z), q.twice_z), negative);
}

template <typename V>
struct VerifyWork {
    LaneBytes digest, heads;
    HashInput inputs[kLaneCount];
    curve25519::CombDigits comb_digits;
    WindowDigits window_digits;
    Prepared<V> table[kTableSize];
    Point<V> key, point;
};

/// The entry |digit| of each lane's table. Entry 0 is neutral.
template <typename V>
[[gnu::noinline]] void choose_entry(Prepared<V>& chosen, const Prepared<V> (&table)[kTableSize], V size) noexcept {
    const auto merge = [&](typename V::Mask here, Factor<V> & to, const Factor<V>& from)
        __attribute__((always_inline)) {
        repeat<kLimbs>(OCTAVO_EACH(i) { to.limb[i] = V::choose(here, from.limb[i], to.limb[i]); });
    };
    chosen = table[0];
    for (int i = 1; i < kTableSize; ++i) {
        const auto here = size.equals(V::every(static_cast<Limb>(i)));
        merge(here, chosen.addend.y_plus_x, table[i].addend.y_plus_x);
        merge(here, chosen.addend.y_minus_x, table[i].addend.y_minus_x);
        merge(here, chosen.addend.t2d, table[i].addend.t2d);
        merge(here, chosen.twice_z, table[i].twice_z);
    }
}

/// work.point = k times work.key, from the digits of k.
template <typename V>
[[gnu::noinline]] void multiply_key(VerifyWork<V>& work) noexcept {
    Point<V> multiple = Point<V>::neutral();
    const Prepared<V> key = prepared(work.key);
    for (int i = 0; i < kTableSize; ++i) {
        work.table[i] = prepared(multiple);
        add_prepared<true>(multiple, key, typename V::Mask{});
    }
    work.point = Point<V>::neutral();
    for (int i = WindowDigits::kNum - 1; i >= 0; --i) {
        const V digit = V::load(work.window_digits.digit + i);
        Prepared<V> q;
        choose_entry(q, work.table, digit.magnitude());
        if (i == 0) return add_prepared<true>(work.point, q, digit.is_negative());
        add_prepared<false>(work.point, q, digit.is_negative());
        for (int doubling = 1; doubling < kWindow; ++doubling) curve25519::double_point<false>(work.point);
        curve25519::double_point<true>(work.point);
    }
}

/// RFC 8032, 5.1.7: whether R is the encoding of [S]B - [k]A.
template <typename V>
[[gnu::noinline]] void verify_group(VerifyWork<V>& work, VerifyJob* jobs, std::size_t count) noexcept {
    const auto job_of = [&](std::size_t l) -> const VerifyJob& { return jobs[l < count ? l : 0]; };
    for (std::size_t l = 0; l < kLaneCount; ++l) {
        std::memcpy(work.heads[l], job_of(l).signature, kKeyLen);
        std::memcpy(work.heads[l] + kKeyLen, job_of(l).public_key, kKeyLen);
        work.inputs[l] = {work.heads[l], 2 * kKeyLen, job_of(l).message, job_of(l).len};
    }
    lanes::sha512<V>(work.digest, work.inputs);
    const auto challenge = scalar_of_digest<V>(work.digest);
    const auto expected = read_lanes<Number<V>>(work.heads, 0);
    auto good = decode_negative(work.key, read_lanes<Number<V>>(work.heads, kKeyLen));
    for (std::size_t l = 0; l < kLaneCount; ++l) std::memcpy(work.heads[l], job_of(l).signature + kKeyLen, kKeyLen);
    auto s = read_lanes<Scalar<V>>(work.heads, 0);
    good = V::both(good, is_canonical(s));
    s = Scalar<V>::choose(good, s, Scalar<V>::zero());
    ec::recode<V>(work.window_digits, challenge);
    ec::recode<V>(work.comb_digits, s);
    multiply_key(work);
    add_base_multiple(work.point, work.comb_digits);
    lanes::write_ok(V::both(good, are_equal(encode(work.point), expected)), jobs, count);
}

/// A batch, group by group.
template <auto run_group, typename Work, typename Job>
void run_groups(Work& work, Job* jobs, std::size_t count) noexcept {
    for (std::size_t g = 0; g < lanes::groups_of(count); ++g) {
        const lanes::GroupOf group(jobs, count, g);
        run_group(work, group.jobs, group.num);
    }
}

}  // namespace octavo::kernel::ed25519
