#pragma once

#include <cstdint>

#include "kernel/lanes/unroll.hpp"

/// The inverse modulo n of one number, in general registers and in constant time: the divsteps of inverse_impl.hpp, of which the
/// processor does one here in two thirds of the time. For lanes that share one inversion. V names nothing but the file whose instructions
/// these are, so that none leaks into code that others share.
///
/// 60 steps at a time are worked out on the low words of f and g, as two matrices of 30 steps, which are then applied to limbs of 60
/// bits, of which the top one is signed.
namespace octavo::kernel::lanes {

using Word = std::int64_t;
__extension__ typedef __int128 WideWord;

inline constexpr int kWordBits = 60, kStepsOfMatrix = kWordBits / 2;

/// The same number in limbs of another size; the last one takes what is left, and the sign.
template <int kFromBits, int kToBits, int kFrom, int kTo>
[[gnu::always_inline]] inline void regroup(const Word (&from)[kFrom], Word (&to)[kTo]) {
    constexpr Word kMask = (Word{1} << kToBits) - 1;
    repeat<kTo>(OCTAVO_EACH(i) {
        constexpr int kLimb = i * kToBits / kFromBits, kShift = i * kToBits % kFromBits;
        auto sum = static_cast<std::uint64_t>(from[kLimb] >> kShift);
        repeat<2>(OCTAVO_EACH(j) {
            constexpr int kLeft = (j + 1) * kFromBits - kShift;
            if constexpr (kLimb + 1 + j < kFrom && kLeft < 64)
                sum += static_cast<std::uint64_t>(from[kLimb + 1 + j]) << kLeft;
        });
        to[i] = static_cast<Word>(sum);
        if constexpr (i + 1 < kTo) to[i] &= kMask;
    });
}

/// 2^30 (f', g') = (u f + v g, q f + r g).
struct WordMatrix {
    Word u, v, q, r;
};

/// What steps are worked out on.
///   zeta  -(delta + 1/2)
///   f, g  their low bits, at least as many as there are steps to come
struct WordSteps {
    std::uint64_t zeta, f, g;
};

/// 30 divsteps. A row of the matrix is one word, u + 2^32 v.
template <typename V>
[[gnu::always_inline]] inline WordMatrix divsteps_of_matrix(WordSteps& s) {
    std::uint64_t upper = 1, lower = std::uint64_t{1} << 32;
    for (int step = 0; step < kStepsOfMatrix; ++step) {
        const std::uint64_t odd = 0 - (s.g & 1), negative = 0 - (s.zeta >> 63), swap = odd & negative;
        const std::uint64_t next_g = s.g + (((s.f ^ negative) - negative) & odd),
                            next_lower = lower + (((upper ^ negative) - negative) & odd);
        s.f ^= (s.f ^ s.g) & swap;
        s.g = next_g >> 1;
        upper = (upper ^ ((upper ^ lower) & swap)) << 1;
        lower = next_lower;
        s.zeta = (s.zeta ^ swap) - 1;
    }
    const auto first = [](std::uint64_t row) { return static_cast<Word>(static_cast<std::int32_t>(row)); };
    const auto second = [&](std::uint64_t row) {
        return static_cast<Word>(row - static_cast<std::uint64_t>(first(row))) >> 32;
    };
    return {first(upper), second(upper), first(lower), second(lower)};
}

/// One inversion under way.
///   d, e  x d = f and x e = g modulo n; each round adds n to their size at most
template <typename V, typename F>
class WordInversion {
public:
    static constexpr int kLimbs = F::kBits / kWordBits + 1;
    /// Enough for numbers of a bit more than n.
    static constexpr int kRounds = (45907 * (F::kBits + 1) + 26313) / (19929 * kWordBits) + 1;

    /// 1 / x, of a size below 2^4 n, in limbs of 52 bits that all have its sign; the top one has what is left. 0 where x is 0.
    ///   x  0 to 2^(F::kBits + 1), in such limbs
    static void invert(Word (&result)[F::kLimbs], const Word (&x)[F::kLimbs]) noexcept {
        static_assert(kRounds < 16);
        WordInversion inversion(x);
        WordSteps steps{~std::uint64_t{0}, 0, 0};
        for (int round = 0; round < kRounds; ++round) inversion.run_round(steps);
        regroup<kWordBits, kLimbBits>(inversion.d_, result);
        const Word sign = inversion.f_[kLimbs - 1] >> 63;
        for (Word& limb : result) limb = (limb ^ sign) - sign;
    }

private:
    using Words = Word[kLimbs];
    static constexpr Word kMask = (Word{1} << kWordBits) - 1;
    struct Constants {
        Words n;
        std::uint64_t k;  ///< -1/n modulo 2^60
    };
    static constexpr Constants make_constants() {
        Constants result{};
        for (int bit = 0; bit < F::kBits; ++bit) {
            const Limb value = (F::kModulus.n.limb[bit / kLimbBits] >> (bit % kLimbBits)) & 1;
            result.n[bit / kWordBits] |= static_cast<Word>(value) << (bit % kWordBits);
        }
        std::uint64_t inverse = 1;  // each step doubles the bits that are right
        for (int i = 0; i < 6; ++i) inverse *= 2 - static_cast<std::uint64_t>(result.n[0]) * inverse;
        result.k = 0 - inverse;
        return result;
    }
    static constexpr Constants kConstants = make_constants();

    explicit WordInversion(const Word (&x)[F::kLimbs]) noexcept : d_{}, e_{1} {
        repeat<kLimbs>(OCTAVO_EACH(i) { f_[i] = kConstants.n[i]; });
        regroup<kLimbBits, kWordBits>(x, g_);
    }

    [[gnu::always_inline]] void run_round(WordSteps& steps) {
        steps.f = static_cast<std::uint64_t>(f_[0]), steps.g = static_cast<std::uint64_t>(g_[0]);
        const WordMatrix a = divsteps_of_matrix<V>(steps), b = divsteps_of_matrix<V>(steps);
        const WordMatrix both = {b.u * a.u + b.v * a.q, b.u * a.v + b.v * a.r, b.q * a.u + b.r * a.q,
                                 b.q * a.v + b.r * a.r};
        apply<false>(both, f_, g_);
        apply<true>(both, d_, e_);
    }

    /// (x, y) = matrix (x, y) / 2^60, where kModulo adds the multiple of n that makes it divisible. The entries of a row add up to 2^60 in
    /// size at most.
    template <bool kModulo>
    [[gnu::always_inline]] static void apply(const WordMatrix& matrix, Words& x, Words& y) {
        const auto sum = [](Word a, Word b, Word c, Word d) __attribute__((always_inline)) {
            return static_cast<WideWord>(a) * c + static_cast<WideWord>(b) * d;
        };
        WideWord upper = 0, lower = 0;
        Word upper_digit = 0, lower_digit = 0;
        repeat<kLimbs>(OCTAVO_EACH(i) {
            upper = (upper >> kWordBits) + sum(matrix.u, matrix.v, x[i], y[i]);
            lower = (lower >> kWordBits) + sum(matrix.q, matrix.r, x[i], y[i]);
            if constexpr (kModulo && i == 0) upper_digit = digit(upper), lower_digit = digit(lower);
            if constexpr (kModulo) {
                upper += static_cast<WideWord>(upper_digit) * kConstants.n[i];
                lower += static_cast<WideWord>(lower_digit) * kConstants.n[i];
            }
            if constexpr (i > 0)
                x[i - 1] = static_cast<Word>(upper) & kMask, y[i - 1] = static_cast<Word>(lower) & kMask;
        });
        x[kLimbs - 1] = static_cast<Word>(upper >> kWordBits);
        y[kLimbs - 1] = static_cast<Word>(lower >> kWordBits);
    }
    static Word digit(WideWord low) {
        return static_cast<Word>(static_cast<std::uint64_t>(low) * kConstants.k) & kMask;
    }

    Words f_, g_, d_, e_;
};

}  // namespace octavo::kernel::lanes
