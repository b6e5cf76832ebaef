/// The lane type of the AVX512-IFMA rows: eight 64-bit words in a zmm register. Included by a row's file inside its target region
/// and its own anonymous namespace, so that no instruction set leaks into code that others share; hence no include guard.
struct V {
    __m512i v;
    using Mask = __mmask8;

    static V zero() { return {_mm512_setzero_si512()}; }
    static V every(std::uint64_t word) { return {_mm512_set1_epi64(static_cast<long long>(word))}; }
    /// The word in memory, in every lane: such a load needs none of the ports that compute, where a constant comes by way of one.
    static V every_at(const lanes::Limb* word) {
        asm("" : "+r"(word));  // hides what the word is
        return every(*word);
    }
    static V load(const lanes::Lanes* p) { return {_mm512_load_si512(p)}; }
    static V load_words(const void* p) { return {_mm512_load_si512(p)}; }
    void store(lanes::Lanes* p) const { _mm512_store_si512(p, v); }
    static V madd_low(V sum, V a, V b) { return {_mm512_madd52lo_epu64(sum.v, a.v, b.v)}; }
    static V madd_high(V sum, V a, V b) { return {_mm512_madd52hi_epu64(sum.v, a.v, b.v)}; }
    V carry() const { return {_mm512_srli_epi64(v, lanes::kLimbBits)}; }
    V signed_carry() const { return {_mm512_srai_epi64(v, lanes::kLimbBits)}; }
    V low() const { return {_mm512_and_si512(v, _mm512_set1_epi64(lanes::kLimbMask))}; }
    template <int kBits>
    V shifted_left() const {
        return {_mm512_slli_epi64(v, kBits)};
    }
    template <int kBits>
    V shifted_right() const {
        return {_mm512_srli_epi64(v, kBits)};
    }
    template <int kBits>
    V signed_shifted_right() const {
        return {_mm512_srai_epi64(v, kBits)};
    }
    template <int kBits>
    V rotated() const {
        return {_mm512_ror_epi64(v, kBits)};
    }
    V shifted_left(int bits) const { return {_mm512_sll_epi64(v, _mm_cvtsi32_si128(bits))}; }
    V shifted_right(int bits) const { return {_mm512_srl_epi64(v, _mm_cvtsi32_si128(bits))}; }
    std::uint64_t first_lane() const {
        return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(v)));
    }
    /// Lane l holds what lane l ^ kDistance held.
    template <int kDistance>
    V exchanged() const {
        constexpr int d = kDistance;
        return {_mm512_permutexvar_epi64(_mm512_set_epi64(7 ^ d, 6 ^ d, 5 ^ d, 4 ^ d, 3 ^ d, 2 ^ d, 1 ^ d, d), v)};
    }
    V magnitude() const { return {_mm512_abs_epi64(v)}; }
    Mask equals(V other) const { return _mm512_cmpeq_epi64_mask(v, other.v); }
    Mask is_zero() const { return _mm512_testn_epi64_mask(v, v); }
    Mask has_bits(V bits) const { return _mm512_test_epi64_mask(v, bits.v); }
    Mask is_negative() const { return _mm512_movepi64_mask(v); }
    static Mask both(Mask a, Mask b) { return _kand_mask8(a, b); }
    static Mask either(Mask a, Mask b) { return _kor_mask8(a, b); }
    static Mask without(Mask a, Mask b) { return _kandn_mask8(b, a); }
    static Mask differ(Mask a, Mask b) { return _kxor_mask8(a, b); }
    static Mask opposite(Mask a) { return _knot_mask8(a); }
    static V choose(Mask chosen, V yes, V no) { return {_mm512_mask_blend_epi64(chosen, no.v, yes.v)}; }
    /// Bit by bit.
    static V choose_bits(V chosen, V yes, V no) {
        return {_mm512_or_si512(_mm512_and_si512(chosen.v, yes.v), _mm512_andnot_si512(chosen.v, no.v))};
    }
    /// a + b and a - b in the chosen lanes, a in the others.
    static V add_where(Mask chosen, V a, V b) { return {_mm512_mask_add_epi64(a.v, chosen, a.v, b.v)}; }
    static V subtract_where(Mask chosen, V a, V b) { return {_mm512_mask_sub_epi64(a.v, chosen, a.v, b.v)}; }
    /// -a in the chosen lanes.
    static V negate_where(Mask chosen, V a) {
        return {_mm512_mask_sub_epi64(a.v, chosen, _mm512_setzero_si512(), a.v)};
    }
    /// The low 64 bits of the product.
    static V product(V a, V b) { return {_mm512_mullo_epi64(a.v, b.v)}; }
    /// The product of signed words that fit in 32 bits.
    static V small_product(V a, V b) { return {_mm512_mul_epi32(a.v, b.v)}; }
    /// The word of sixteen, low[0..7] and high[0..7], that the low four bits of each lane's index name.
    static V pick(V low, V index, V high) { return {_mm512_permutex2var_epi64(low.v, index.v, high.v)}; }
};

inline V operator+(V a, V b) { return {_mm512_add_epi64(a.v, b.v)}; }
inline V operator-(V a, V b) { return {_mm512_sub_epi64(a.v, b.v)}; }
inline V operator|(V a, V b) { return {_mm512_or_si512(a.v, b.v)}; }
inline V operator&(V a, V b) { return {_mm512_and_si512(a.v, b.v)}; }
inline V operator^(V a, V b) { return {_mm512_xor_si512(a.v, b.v)}; }
