/// Sixteen 32-bit words in a zmm register; included as v_avx512.hpp is.
struct W {
    __m512i v;

    static W zero() { return {_mm512_setzero_si512()}; }
    static W every(std::uint32_t word) { return {_mm512_set1_epi32(static_cast<int>(word))}; }
    static W load(const lanes::Lanes32* p) { return {_mm512_load_si512(p)}; }
    void store(lanes::Lanes32* p) const { _mm512_store_si512(p, v); }
    template <int kBits>
    W shifted_right() const {
        return {_mm512_srli_epi32(v, kBits)};
    }
    template <int kBits>
    W rotated() const {
        return {_mm512_ror_epi32(v, kBits)};
    }
};

inline W operator+(W a, W b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline W operator|(W a, W b) { return {_mm512_or_si512(a.v, b.v)}; }
inline W operator&(W a, W b) { return {_mm512_and_si512(a.v, b.v)}; }
inline W operator^(W a, W b) { return {_mm512_xor_si512(a.v, b.v)}; }
