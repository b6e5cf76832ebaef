#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "kernel/rsa/rsa_forms.hpp"

/// Montgomery arithmetic on eight numbers side by side, written on a lane type V (a vector of eight 64-bit words).
///
/// Limbs have 52 bits in words of 64: multiply-add reads the low 52 bits of its factors and adds the low or the high half of
/// the product to a whole word. So columns may grow (320 products at most: 2^61) and carries are postponed; a normalised number
/// has its low 52 bits right in every limb, while the bits above, already carried on, are left to be ignored.
/// Everything here is almost Montgomery: results are congruent and less than 2.01 n, R > 2^12 n.
///
/// Ten limbs of one factor stay in registers while the other factor's limbs and the columns slide by: twenty multiply-adds for
/// two loads and a store, and each column's chain of them is ten instructions apart. A vector store takes a multiply-add's
/// slot, a load does not. Loops stay loops: with a busy sibling thread, larger code is slower code.
namespace octavo::kernel::rsa {

/// A limb of eight numbers.
struct alignas(64) Lanes {
    Limb lane[8];
};

template <int kLimbs>
struct ModulusLanes {
    Lanes n[kLimbs + 1];  // the last is zero
    Lanes m[kLimbs], one[kLimbs], enter[kLimbs];
    Lanes k;
};

/// f(0), ..., f(N - 1) with constants, unrolled.
template <int N, typename F>
[[gnu::always_inline]] inline void repeat(F&& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
        (f(std::integral_constant<int, I>{}), ...);
    }
    (std::make_integer_sequence<int, N>{});
}

#define OCTAVO_UNROLLED(i) [&](auto i) __attribute__((always_inline))

/// Limb `i` of a factor that lies in memory.
template <typename V>
[[gnu::always_inline]] inline V limb_of(const Lanes* factor, int i) {
    return V::load(factor + i);
}

/// A factor that each lane chooses among sixteen by its digit. They lie limb by limb, and lane by lane for each limb: entries 0 to 7 of the
/// eight lanes, then entries 8 to 15. All are read, whatever the digits. What is chosen is copied to `copy`.
template <typename V>
struct Chosen {
    const Lanes (*entries)[kTableSize];
    V digit;
    Lanes* copy;

    Chosen& operator+=(int limbs) {
        entries += limbs, copy += limbs;
        return *this;
    }
};
template <typename V>
[[gnu::always_inline]] inline V limb_of(const Chosen<V>& factor, int i) {
    const V limb = V::among(factor.entries[i], factor.digit);
    limb.store(factor.copy + i);
    return limb;
}

/// One block of columns: adds x times ten limbs of y, writes the ten columns that are then complete, and moves on by ten.
///   w     columns 0..9 on entry; what has reached columns 10..19 on return is moved there
///   t     columns, read from 10 on unless kFresh, written at 0..9
template <typename V, bool kFresh, typename Y>
[[gnu::always_inline]] inline void slide(V (&w)[2 * kBlock], const V (&x)[kBlock], const Y& y, Lanes* t) {
    repeat<kBlock>(OCTAVO_UNROLLED(s) {
        const V limb = limb_of<V>(y, s);
        w[s + kBlock] = kFresh ? V::zero() : V::load(t + s + kBlock);
        repeat<kBlock>(OCTAVO_UNROLLED(i) { w[s + i] = V::madd_low(w[s + i], x[i], limb); });
        repeat<kBlock>(OCTAVO_UNROLLED(i) { w[s + i + 1] = V::madd_high(w[s + i + 1], x[i], limb); });
        w[s].store(t + s);
    });
    repeat<kBlock>(OCTAVO_UNROLLED(i) { w[i] = w[i + kBlock]; });
}

/// t += x y for ten limbs x and kBlocks times ten limbs y. The ten highest columns are written, not added to; with kFirst
/// all are.
template <typename V, bool kFirst, int kBlocks, typename Y>
[[gnu::noinline]] void add_rows(Lanes* t, const Lanes* x, Y y) noexcept {
    V a[kBlock], w[2 * kBlock];
    repeat<kBlock>(OCTAVO_UNROLLED(i) {
        a[i] = V::load(x + i);
        w[i] = kFirst ? V::zero() : V::load(t + i);
    });
    for (int round = 0; round < kBlocks - 1; ++round) {
        slide<V, kFirst>(w, a, y, t);
        t += kBlock, y += kBlock;
    }
    slide<V, true>(w, a, y, t);
    repeat<kBlock>(OCTAVO_UNROLLED(i) { w[i].store(t + kBlock + i); });
}

/// t = 2 t + x^2 for ten limbs x, twenty columns t: the products of two different limbs once, doubled with t. Limb i's products
/// complete columns 2 i and 2 i + 1. With kFreshLow or kFreshHigh the lower or the upper ten columns are taken for zero.
template <typename V, bool kFreshLow, bool kFreshHigh>
[[gnu::noinline]] void double_and_add_square(Lanes* t, const Lanes* x) noexcept {
    V a[kBlock], w[2 * kBlock];
    repeat<kBlock>(OCTAVO_UNROLLED(i) { a[i] = V::load(x + i), w[i] = kFreshLow ? V::zero() : V::load(t + i); });
    repeat<kBlock>(OCTAVO_UNROLLED(i) {
        constexpr int kRest = kBlock - 1 - i;
        w[kBlock + i] = kFreshHigh ? V::zero() : V::load(t + kBlock + i);
        repeat<kRest>(OCTAVO_UNROLLED(j) { w[2 * i + 1 + j] = V::madd_low(w[2 * i + 1 + j], a[i], a[i + 1 + j]); });
        repeat<kRest>(OCTAVO_UNROLLED(j) { w[2 * i + 2 + j] = V::madd_high(w[2 * i + 2 + j], a[i], a[i + 1 + j]); });
        V::madd_low(w[2 * i] + w[2 * i], a[i], a[i]).store(t + 2 * i);
        V::madd_high(w[2 * i + 1] + w[2 * i + 1], a[i], a[i]).store(t + 2 * i + 1);
    });
}

/// Adds the multiples of ten limbs m by kDigits quotient digits to the columns that they reach, digit by digit: digit i is
/// column i, complete once the digits before it are done, and its multiple begins at column i + 1. The chain from digit to
/// digit is five cycles long and hides behind the ten that a digit's multiple takes.
template <typename V, int kDigits>
[[gnu::always_inline]] inline void add_multiples(V (&c)[2 * kBlock + 1], const Lanes* m) {
    repeat<kDigits>(OCTAVO_UNROLLED(i) {
        repeat<kBlock>(OCTAVO_UNROLLED(j) {
            c[i + 1 + j] = V::madd_low(c[i + 1 + j], c[i], V::load(m + j));
            if constexpr (j == 0) c[i + 1] = c[i + 1] + c[i].carry();
        });
        repeat<kBlock>(OCTAVO_UNROLLED(j) { c[i + 2 + j] = V::madd_high(c[i + 2 + j], c[i], V::load(m + j)); });
    });
}

/// t = t / 2^520 modulo n, from column 10 on, for kBlocks times ten limbs m; writes columns 10 to 10 kBlocks + 10.
/// The result is less than t / 2^520 + 2^52.1 n: the last block of a reduction is `reduce_last`.
template <typename V, int kBlocks>
[[gnu::noinline]] void reduce_block(Lanes* t, const Lanes* m) noexcept {
    V c[2 * kBlock + 1], digits[kBlock], w[2 * kBlock];
    repeat<2 * kBlock + 1>(OCTAVO_UNROLLED(i) { c[i] = V::load(t + i); });
    add_multiples<V, kBlock>(c, m);
    c[kBlock].store(t + kBlock);
    repeat<kBlock>(OCTAVO_UNROLLED(i) { digits[i] = c[i], w[i] = c[kBlock + 1 + i]; });
    t += kBlock + 1;
    for (int round = 0; round < kBlocks - 1; ++round) {
        m += kBlock;
        slide<V, false>(w, digits, m, t);
        t += kBlock;
    }
    repeat<kBlock>(OCTAVO_UNROLLED(i) { w[i].store(t + i); });
}

/// result = column + carry, and the carry for the next.
template <typename V>
[[gnu::always_inline]] inline void normalise(V column, V& carry, Lanes* result) {
    column = column + carry;
    carry = column.carry();
    column.store(result);
}

/// `slide` where the tenth digit multiplies n instead of m, and the complete columns go normalised to `result`.
template <typename V>
[[gnu::always_inline]] inline void slide_last(V (&w)[2 * kBlock], const V (&digits)[kBlock], const Lanes* m,
                                              const Lanes* n, const Lanes* t, V& carry, Lanes* result) {
    repeat<kBlock>(OCTAVO_UNROLLED(s) {
        const V m_limb = V::load(m + s), n_limb = V::load(n + s);
        w[s + kBlock] = V::load(t + s + kBlock);
        repeat<kBlock>(
            OCTAVO_UNROLLED(i) { w[s + i] = V::madd_low(w[s + i], digits[i], i == kBlock - 1 ? n_limb : m_limb); });
        repeat<kBlock>(OCTAVO_UNROLLED(i) {
            w[s + i + 1] = V::madd_high(w[s + i + 1], digits[i], i == kBlock - 1 ? n_limb : m_limb);
        });
        normalise(w[s], carry, result + s);
    });
    repeat<kBlock>(OCTAVO_UNROLLED(i) { w[i] = w[i + kBlock]; });
}

/// The last ten digits of a reduction: nine by m and the last by n itself, so that the result is small.
///   t       columns from the first of the ten digits on; column kLimbs + 10 is read and has to be zero
///   result  normalised
template <typename V, int kLimbs>
[[gnu::noinline]] void reduce_last(const Lanes* t, const ModulusLanes<kLimbs>& mod, Lanes* result) noexcept {
    constexpr int kLast = kBlock - 1;
    const Lanes *m = mod.m, *n = mod.n + 1;  // n[i] is where the tenth digit's multiple meets m[i]
    V c[2 * kBlock + 1], digits[kBlock], w[2 * kBlock];
    repeat<2 * kBlock + 1>(OCTAVO_UNROLLED(i) { c[i] = V::load(t + i); });
    add_multiples<V, kLast>(c, m);
    const V digit = V::madd_low(V::zero(), c[kLast], V::load(&mod.k));
    V carry = V::madd_low(c[kLast], digit, V::load(mod.n)).carry();
    c[kLast + 1] = V::madd_high(c[kLast + 1], digit, V::load(mod.n));
    repeat<kBlock>(OCTAVO_UNROLLED(j) { c[kBlock + j] = V::madd_low(c[kBlock + j], digit, V::load(n + j)); });
    repeat<kBlock>(OCTAVO_UNROLLED(j) { c[kBlock + 1 + j] = V::madd_high(c[kBlock + 1 + j], digit, V::load(n + j)); });
    normalise(c[kBlock], carry, result);
    repeat<kBlock>(OCTAVO_UNROLLED(i) { digits[i] = c[i], w[i] = c[kBlock + 1 + i]; });
    digits[kLast] = digit;
    t += kBlock + 1, ++result;
    for (int round = 0; round < kLimbs / kBlock - 1; ++round) {
        m += kBlock, n += kBlock;
        slide_last(w, digits, m, n, t, carry, result);
        t += kBlock, result += kBlock;
    }
    repeat<kBlock - 1>(OCTAVO_UNROLLED(i) { normalise(w[i], carry, result + i); });
}

template <int kLimbs>
struct Columns {
    Lanes t[2 * kLimbs + 1];
};

/// t = a b, columns not carried.
template <typename V, int kLimbs>
void multiply_columns(Columns<kLimbs>& columns, const Lanes* a, const Lanes* b) noexcept {
    constexpr int kBlocks = kLimbs / kBlock;
    Lanes* t = columns.t;
    add_rows<V, true, kBlocks>(t, a, b);
    for (int round = 0; round < kBlocks - 1; ++round) {
        t += kBlock, a += kBlock;
        add_rows<V, false, kBlocks>(t, a, b);
    }
}

/// t = a b, where b is chosen and copied by the way: the loads and permutes of the choice run beside the multiply-adds.
template <typename V, int kLimbs>
void multiply_columns(Columns<kLimbs>& columns, const Lanes* a, const Chosen<V>& b) noexcept {
    constexpr int kBlocks = kLimbs / kBlock;
    Lanes* t = columns.t;
    add_rows<V, true, kBlocks>(t, a, b);
    for (int round = 0; round < kBlocks - 1; ++round) {
        t += kBlock, a += kBlock;
        add_rows<V, false, kBlocks>(t, a, static_cast<const Lanes*>(b.copy));
    }
}

/// t = a^2, columns not carried.
template <typename V, int kLimbs>
void square_columns(Columns<kLimbs>& columns, const Lanes* a) noexcept {
    constexpr int kBlocks = kLimbs / kBlock;
    Lanes* t = columns.t;
    repeat<kBlocks - 1>(OCTAVO_UNROLLED(block) {
        const Lanes* x = a + block * kBlock;
        add_rows<V, block == 0, kBlocks - 1 - block>(t + (2 * block + 1) * kBlock, x, x + kBlock);
    });
    double_and_add_square<V, true, false>(t, a);
    for (int round = 0; round < kBlocks - 2; ++round) {
        t += 2 * kBlock, a += kBlock;
        double_and_add_square<V, false, false>(t, a);
    }
    double_and_add_square<V, false, true>(t + 2 * kBlock, a + kBlock);
}

/// r = t / R modulo n, normalised, less than t / R + 2.01 n. Destroys t.
template <typename V, int kLimbs>
void reduce(Lanes* r, Columns<kLimbs>& columns, const ModulusLanes<kLimbs>& mod) noexcept {
    constexpr int kBlocks = kLimbs / kBlock;
    Lanes* t = columns.t;
    V::zero().store(t + 2 * kLimbs);
    for (int round = 0; round < kBlocks - 1; ++round) {
        reduce_block<V, kBlocks>(t, mod.m);
        t += kBlock;
    }
    reduce_last<V>(t, mod, r);
}

/// r = a b / R modulo n. r may be a or b.
template <typename V, int kLimbs>
void multiply(Lanes* r, const Lanes* a, const Lanes* b, const ModulusLanes<kLimbs>& mod,
              Columns<kLimbs>& columns) noexcept {
    multiply_columns<V>(columns, a, b);
    reduce<V>(r, columns, mod);
}

/// r = a^2 / R modulo n. r may be a.
template <typename V, int kLimbs>
void square(Lanes* r, const Lanes* a, const ModulusLanes<kLimbs>& mod, Columns<kLimbs>& columns) noexcept {
    square_columns<V>(columns, a);
    reduce<V>(r, columns, mod);
}

/// x = x mod n for normalised x < 3 n, every limb below 2^52. Constant time.
template <typename V, int kLimbs>
void make_canonical(Lanes* x, const ModulusLanes<kLimbs>& mod) noexcept {
    for (int pass = 0; pass < 2; ++pass) {
        V borrow = V::zero();
        for (int i = 0; i < kLimbs; ++i) borrow = (V::load(x + i).low() - V::load(mod.n + i) + borrow).signed_carry();
        const V keep = borrow;  // all ones where x < n
        V carry = V::zero();
        for (int i = 0; i < kLimbs; ++i) {
            carry = V::load(x + i).low() - V::load(mod.n + i).without(keep) + carry;
            carry.low().store(x + i);
            carry = carry.signed_carry();
        }
    }
}

}  // namespace octavo::kernel::rsa
