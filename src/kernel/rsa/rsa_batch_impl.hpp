#pragma once

#include <cstring>

#include "base/wipe.hpp"
#include "kernel/rsa/rsa_impl.hpp"

/// Whole RSA batches on the arithmetic of rsa_impl.hpp: bytes to lanes, exponentiation, CRT, the check of each result.
namespace octavo::kernel::rsa {

inline constexpr int kLaneCount = 8;
inline constexpr int kGroup = 4;

template <int kLimbs>
struct PublicWork {
    ModulusLanes<kLimbs> mod;
    Columns<kLimbs> columns;
    Lanes input[kLimbs];  // canonical
    Lanes x[kLimbs];      // the running power
    Lanes base[kLimbs];   // in the Montgomery domain
    Lanes factor[kLimbs];
};

template <int kLimbs>
struct HalfWork {
    ModulusLanes<kLimbs> mod;
    Columns<kLimbs> columns;
    Lanes x[kLimbs], factor[kLimbs];
    Lanes exponent[kLimbs];
    Lanes qinv[kLimbs];
    Lanes base[kLimbs];
    Lanes table[kLimbs][kTableSize];
};

/// Lane l of dst[i] = source[l][i].
inline void spread(Lanes* dst, const Limb* const (&source)[kLaneCount], int limbs) noexcept {
    for (int i = 0; i < limbs; ++i)
        for (int l = 0; l < kLaneCount; ++l) dst[i].lane[l] = source[l][i];
}

template <int kLimbs, int kMax>
void spread_modulus(ModulusLanes<kLimbs>& mod, const ModulusForm<kMax>* const (&forms)[kLaneCount]) noexcept {
    const Limb* source[kLaneCount];
    const auto spread_member = [&](Lanes* dst, auto member, int limbs) {
        for (int l = 0; l < kLaneCount; ++l) source[l] = &(forms[l]->*member)[0];
        spread(dst, source, limbs);
    };
    using Form = ModulusForm<kMax>;
    spread_member(mod.n, &Form::n, kLimbs);
    spread_member(mod.m, &Form::m, kLimbs);
    spread_member(mod.one, &Form::one, kLimbs);
    spread_member(mod.enter, &Form::enter, kLimbs);
    mod.n[kLimbs] = {};
    for (int l = 0; l < kLaneCount; ++l) mod.k.lane[l] = forms[l]->k;
}

inline Limb load_big_endian(const std::uint8_t* bytes) noexcept {
    Limb word;
    std::memcpy(&word, bytes, sizeof word);
    return __builtin_bswap64(word);
}

/// Lane `l` of dst = the number in `len` bytes, len > 8.
inline void read_bytes(Lanes* dst, int l, const std::uint8_t* bytes, std::size_t len, int limbs) noexcept {
    for (int i = 0; i < limbs; ++i) {
        const std::size_t at = static_cast<std::size_t>(i) * kLimbBits, low = at / 8;
        Limb word = 0;
        if (low + 8 <= len) {
            word = load_big_endian(bytes + len - low - 8);
        } else if (low < len) {
            word = load_big_endian(bytes) >> (8 * (low + 8 - len));
        }
        dst[i].lane[l] = (word >> (at % 8)) & kLimbMask;
    }
}

/// The number of lane `l` to `len` bytes, a multiple of 8. Limbs below 2^52.
inline void write_bytes(std::uint8_t* bytes, std::size_t len, const Lanes* limbs, int l) noexcept {
    Limb pending = 0;
    int bits = 0;
    for (std::size_t done = 0; done < len; done += 8) {
        Limb word = pending;
        while (bits < 64) {
            const Limb limb = (limbs++)->lane[l];
            word |= limb << bits;
            bits += kLimbBits;
            // what is left of this limb goes to the next word
            if (bits >= 64) pending = limb >> (kLimbBits - (bits - 64));
        }
        bits -= 64;
        word = __builtin_bswap64(word);
        std::memcpy(bytes + len - done - 8, &word, sizeof word);
    }
}

/// The job whose operands lane `l` holds: its own, or where there is none the first of its group of `group` lanes, or of
/// the batch.
inline std::size_t job_of_lane(std::size_t l, std::size_t count, std::size_t group) noexcept {
    if (l < count) return l;
    const std::size_t first = l - l % group;
    return first < count ? first : (l % group < count ? l % group : 0);
}

/// work.x = work.input ^ e mod n, canonical.
template <typename V, int kLimbs>
void power_public(PublicWork<kLimbs>& work, const Limb (&e)[kLaneCount]) noexcept {
    const auto& mod = work.mod;
    Limb any = 0, all = ~Limb{0};
    for (const Limb lane : e) any |= lane, all &= lane;
    multiply<V>(work.base, work.input, mod.enter, mod, work.columns);
    Lanes exponents;
    std::memcpy(exponents.lane, e, sizeof e);
    const auto choose = [&](Lanes* out, int bit) {
        const auto chosen = V::load(&exponents).has_bit(bit);
        for (int i = 0; i < kLimbs; ++i) V::choose(chosen, V::load(work.base + i), V::load(mod.one + i)).store(out + i);
    };
    int bit = 63 - __builtin_clzll(any);
    choose(work.x, bit);
    while (--bit > 0) {
        square<V>(work.x, work.x, mod, work.columns);
        if (((any >> bit) & 1) == 0) continue;
        choose(work.factor, bit);
        multiply<V>(work.x, work.x, work.factor, mod, work.columns);
    }
    // e is odd: the last factor, outside the Montgomery domain, brings the result out of it
    square<V>(work.x, work.x, mod, work.columns);
    multiply<V>(work.x, work.x, work.input, mod, work.columns);
    make_canonical<V>(work.x, mod);
}

template <int kLimbs>
void load_public_keys(PublicWork<kLimbs>& work, const PublicForm* const (&keys)[kLaneCount],
                      Limb (&e)[kLaneCount]) noexcept {
    const ModulusForm<kMaxPublicLimbs>* moduli[kLaneCount];
    for (int l = 0; l < kLaneCount; ++l) moduli[l] = &keys[l]->modulus, e[l] = keys[l]->e;
    spread_modulus(work.mod, moduli);
}

template <typename V, int kLimbs>
void run_public_batch(PublicWork<kLimbs>& work, Job* jobs, std::size_t count) noexcept {
    const PublicForm* keys[kLaneCount];
    for (std::size_t l = 0; l < kLaneCount; ++l) {
        const Job& job = jobs[job_of_lane(l, count, kLaneCount)];
        keys[l] = job.forms->public_form;
        read_bytes(work.input, static_cast<int>(l), job.in, job.len, kLimbs);
    }
    Limb e[kLaneCount];
    load_public_keys(work, keys, e);
    power_public<V>(work, e);
    for (std::size_t l = 0; l < count; ++l) {
        write_bytes(jobs[l].out, jobs[l].len, work.x, static_cast<int>(l));
        jobs[l].ok = true;
    }
}

template <typename V, int kLimbs>
Chosen<V> chosen_entry(HalfWork<kLimbs>& work, int digit_index) noexcept {
    const V digit = V::load(work.exponent + digit_index / kDigitsPerLimb)
                        .bits_from(kWindowBits * (digit_index % kDigitsPerLimb), kWindowBits);
    return {work.table, digit, work.factor};
}

/// Column `entry` of the table.
template <int kLimbs>
void store_entry(HalfWork<kLimbs>& work, int entry, const Lanes* number) noexcept {
    for (int i = 0; i < kLimbs; ++i) work.table[i][entry] = number[i];
}

/// Powers 0 to 15 of x, which is in the Montgomery domain, in the order that `Chosen` reads. x is lost.
template <typename V, int kLimbs>
void fill_table(HalfWork<kLimbs>& work) noexcept {
    store_entry(work, 0, work.mod.one);
    store_entry(work, 1, work.x);
    std::memcpy(work.base, work.x, sizeof work.base);
    for (int entry = 2; entry < kTableSize; entry += 2) {
        for (int i = 0; i < kLimbs; ++i) work.factor[i] = work.table[i][entry / 2];
        square<V>(work.x, work.factor, work.mod, work.columns);
        store_entry(work, entry, work.x);
        multiply<V>(work.x, work.x, work.base, work.mod, work.columns);
        store_entry(work, entry + 1, work.x);
    }
    for (auto& entries : work.table)
        for (Lanes* group : {entries, entries + kLaneCount}) {
            V rows[kLaneCount];
            repeat<kLaneCount>(OCTAVO_UNROLLED(i) { rows[i] = V::load(group + i); });
            V::transpose(rows);
            repeat<kLaneCount>(OCTAVO_UNROLLED(i) { rows[i].store(group + i); });
        }
}

/// x = x^exponent, both in the Montgomery domain, for exponents of so many windows.
template <typename V, int kLimbs>
void power_secret(HalfWork<kLimbs>& work, int num_digits) noexcept {
    fill_table<V>(work);
    int digit = num_digits - 1;
    const auto first = chosen_entry<V>(work, digit);
    for (int i = 0; i < kLimbs; ++i) limb_of<V>(first, i).store(work.x + i);
    while (--digit >= 0) {
        repeat<kWindowBits>(OCTAVO_UNROLLED(/*bit*/) { square<V>(work.x, work.x, work.mod, work.columns); });
        multiply_columns<V>(work.columns, work.x, chosen_entry<V>(work, digit));
        reduce<V>(work.x, work.columns, work.mod);
    }
}

/// x = x / R mod n, canonical.
template <typename V, int kLimbs>
void leave_domain(HalfWork<kLimbs>& work) noexcept {
    for (int i = 0; i < kLimbs; ++i) {
        V::load(work.x + i).low().store(work.columns.t + i);
        V::zero().store(work.columns.t + kLimbs + i);
    }
    reduce<V>(work.x, work.columns, work.mod);
    make_canonical<V>(work.x, work.mod);
}

/// Lanes 0..3 take the keys' p, lanes 4..7 their q.
template <int kLimbs>
void load_halves(HalfWork<kLimbs>& work, const PrivateForm* const (&keys)[kGroup]) noexcept {
    const ModulusForm<kMaxHalfLimbs>* moduli[kLaneCount];
    const Limb* source[kLaneCount];
    for (int i = 0; i < kGroup; ++i) {
        moduli[i] = &keys[i]->p.modulus, moduli[kGroup + i] = &keys[i]->q.modulus;
        source[i] = keys[i]->p.exponent, source[kGroup + i] = keys[i]->q.exponent;
    }
    spread_modulus(work.mod, moduli);
    spread(work.exponent, source, kLimbs);
    for (int i = 0; i < kGroup; ++i) source[i] = source[kGroup + i] = keys[i]->qinv;
    spread(work.qinv, source, kLimbs);
}

/// s = sq + q ((sp - sq) qinv mod p) in lanes 0..3 of `work.columns`, limbs below 2^52, less than p q.
/// On entry work.x holds sp in lanes 0..3 and sq in lanes 4..7, canonical.
template <typename V, int kLimbs>
void recombine(HalfWork<kLimbs>& work) noexcept {
    V carry = V::zero();
    for (int i = 0; i < kLimbs; ++i) {
        // q < 2 p, as both have their top bit set: 2 p keeps the difference positive
        const V p = V::load(work.mod.n + i), x = V::load(work.x + i);
        carry = carry + x - x.halves_swapped() + p + p;
        carry.store(work.factor + i);
        carry = carry.signed_carry();
    }
    multiply<V>(work.factor, work.factor, work.qinv, work.mod, work.columns);
    make_canonical<V>(work.factor, work.mod);
    for (int i = 0; i < kLimbs; ++i) V::load(work.mod.n + i).halves_swapped().store(work.qinv + i);
    multiply_columns<V>(work.columns, work.factor, work.qinv);
    carry = V::zero();
    for (int i = 0; i < 2 * kLimbs; ++i) {
        carry = carry + V::load(work.columns.t + i);
        if (i < kLimbs) carry = carry + V::load(work.x + i).halves_swapped();
        carry.low().store(work.columns.t + i);
        carry = carry.carry();
    }
}

/// The four operations whose keys are given: their inputs are lanes 4 g.. of `input`, their results the same of `result`.
template <typename V, int kLimbs>
void run_private_group(HalfWork<kLimbs>& work, const PrivateForm* const (&keys)[kGroup], const Lanes* input, int group,
                       Lanes* result) noexcept {
    load_halves(work, keys);
    for (int i = 0; i < 2 * kLimbs; ++i) {
        const V limb = V::load(input + i);
        (group == 0 ? limb.low_half_twice() : limb.high_half_twice()).store(work.columns.t + i);
    }
    reduce<V>(work.x, work.columns, work.mod);
    multiply<V>(work.x, work.x, work.mod.enter, work.mod, work.columns);
    power_secret<V>(work, kLimbs / kBlock * 512 / kWindowBits);
    leave_domain<V>(work);
    recombine<V>(work);
    for (int i = 0; i < 2 * kLimbs; ++i) {
        const V limb = V::load(work.columns.t + i);
        (group == 0 ? limb.low_half_twice() : V::low_halves(V::load(result + i), limb)).store(result + i);
    }
}

template <int kLimbs>
struct PrivateWork {
    HalfWork<kLimbs> half;
    PublicWork<2 * kLimbs> check;
    Lanes input[2 * kLimbs];
    Lanes good;
};

/// Raises the results in check.input to the public exponent; zeroes, without a branch, those that do not give the input
/// back. good: all ones in the lanes of right results.
template <typename V, int kLimbs>
void check_results(PrivateWork<kLimbs>& work, const PublicForm* const (&keys)[kLaneCount]) noexcept {
    Limb e[kLaneCount];
    load_public_keys(work.check, keys, e);
    power_public<V>(work.check, e);
    V difference = V::zero();
    for (int i = 0; i < 2 * kLimbs; ++i)
        difference = difference | (V::load(work.check.x + i) ^ V::load(work.input + i));
    const V good = V::choose(difference.equals(0), ~V::zero(), V::zero());
    good.store(&work.good);
    for (int i = 0; i < 2 * kLimbs; ++i) (V::load(work.check.input + i) & good).store(work.check.input + i);
}

template <typename V, int kLimbs>
void run_private_batch(PrivateWork<kLimbs>& work, Job* jobs, std::size_t count) noexcept {
    const PrivateForm* keys[kLaneCount];
    const PublicForm* public_keys[kLaneCount];
    for (std::size_t l = 0; l < kLaneCount; ++l) {
        const Job& job = jobs[job_of_lane(l, count, kGroup)];
        keys[l] = job.forms->private_form;
        public_keys[l] = &keys[l]->pub;
        read_bytes(work.input, static_cast<int>(l), job.in, job.len, 2 * kLimbs);
    }
    run_private_group<V>(work.half, {keys[0], keys[1], keys[2], keys[3]}, work.input, 0, work.check.input);
    if (count > kGroup)
        run_private_group<V>(work.half, {keys[4], keys[5], keys[6], keys[7]}, work.input, 1, work.check.input);
    check_results<V>(work, public_keys);
    for (std::size_t l = 0; l < count; ++l) {
        write_bytes(jobs[l].out, jobs[l].len, work.check.input, static_cast<int>(l));
        jobs[l].ok = work.good.lane[l] != 0;
    }
}

/// What scratch memory has to hold.
union Workspace {
    PublicWork<40> public2048;
    PublicWork<60> public3072;
    PublicWork<80> public4096;
    PrivateWork<20> private2048;
    PrivateWork<30> private3072;
    PrivateWork<40> private4096;
};

}  // namespace octavo::kernel::rsa
