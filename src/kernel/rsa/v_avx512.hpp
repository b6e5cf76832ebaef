#pragma once

#include <immintrin.h>

#include "kernel/rsa/rsa_impl.hpp"

/// The lane type of rsa_impl.hpp on AVX512-IFMA. For files whose functions are compiled for it, which each have their own.
namespace octavo::kernel::rsa {
namespace {

/// Eight 64-bit words in a zmm register.
struct V {
    __m512i v;
    using Mask = __mmask8;

    static V zero() { return {_mm512_setzero_si512()}; }
    static V load(const Lanes* p) { return {_mm512_load_si512(p)}; }
    void store(Lanes* p) const { _mm512_store_si512(p, v); }
    static V madd_low(V sum, V a, V b) { return {_mm512_madd52lo_epu64(sum.v, a.v, b.v)}; }
    static V madd_high(V sum, V a, V b) { return {_mm512_madd52hi_epu64(sum.v, a.v, b.v)}; }
    V carry() const { return {_mm512_srli_epi64(v, kLimbBits)}; }
    V signed_carry() const { return {_mm512_srai_epi64(v, kLimbBits)}; }
    V low() const { return {_mm512_and_si512(v, _mm512_set1_epi64(kLimbMask))}; }
    V without(V bits) const { return {_mm512_andnot_si512(bits.v, v)}; }
    V bits_from(int at, int width) const {
        const __m512i shifted = _mm512_srl_epi64(v, _mm_cvtsi32_si128(at));
        return {_mm512_and_si512(shifted, _mm512_set1_epi64((1LL << width) - 1))};
    }
    Mask equals(Limb word) const { return _mm512_cmpeq_epi64_mask(v, _mm512_set1_epi64(static_cast<long long>(word))); }
    Mask has_bit(int bit) const { return _mm512_test_epi64_mask(v, _mm512_set1_epi64(1LL << bit)); }
    static V choose(Mask chosen, V yes, V no) { return {_mm512_mask_blend_epi64(chosen, no.v, yes.v)}; }
    /// Word l of entries[l] and entries[8 + l] together, sixteen words, that lane l's index names.
    static V among(const Lanes* entries, V index) {
        __m512i chosen = index.v;
        repeat<8>(OCTAVO_UNROLLED(l) {
            constexpr __mmask8 kLane = 1 << l;
            chosen = _mm512_mask2_permutex2var_epi64(load(entries + l).v, chosen, kLane, load(entries + 8 + l).v);
        });
        return {chosen};
    }
    /// Rows become columns.
    static void transpose(V (&rows)[8]) {
        __m512i pairs[8], quads[8];
        repeat<4>(OCTAVO_UNROLLED(i) {
            pairs[2 * i] = _mm512_unpacklo_epi64(rows[2 * i].v, rows[2 * i + 1].v);
            pairs[2 * i + 1] = _mm512_unpackhi_epi64(rows[2 * i].v, rows[2 * i + 1].v);
        });
        repeat<2>(OCTAVO_UNROLLED(half) {
            repeat<2>(OCTAVO_UNROLLED(i) {
                const __m512i low = pairs[4 * half + i], high = pairs[4 * half + 2 + i];
                quads[4 * half + i] = _mm512_shuffle_i64x2(low, high, 0x88);
                quads[4 * half + 2 + i] = _mm512_shuffle_i64x2(low, high, 0xdd);
            });
        });
        repeat<4>(OCTAVO_UNROLLED(i) {
            rows[i + 0].v = _mm512_shuffle_i64x2(quads[i], quads[4 + i], 0x88);
            rows[i + 4].v = _mm512_shuffle_i64x2(quads[i], quads[4 + i], 0xdd);
        });
    }
    V halves_swapped() const { return {_mm512_shuffle_i64x2(v, v, 0x4e)}; }
    V low_half_twice() const { return {_mm512_shuffle_i64x2(v, v, 0x44)}; }
    V high_half_twice() const { return {_mm512_shuffle_i64x2(v, v, 0xee)}; }
    static V low_halves(V a, V b) { return {_mm512_shuffle_i64x2(a.v, b.v, 0x44)}; }
};

inline V operator+(V a, V b) { return {_mm512_add_epi64(a.v, b.v)}; }
inline V operator-(V a, V b) { return {_mm512_sub_epi64(a.v, b.v)}; }
inline V operator|(V a, V b) { return {_mm512_or_si512(a.v, b.v)}; }
inline V operator&(V a, V b) { return {_mm512_and_si512(a.v, b.v)}; }
inline V operator^(V a, V b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline V operator~(V a) { return {_mm512_xor_si512(a.v, _mm512_set1_epi64(-1))}; }

}  // namespace
}  // namespace octavo::kernel::rsa
