#include <immintrin.h>
#include <stdint.h>

namespace octavo::ct {

void spread_secrets(void* line) noexcept;

/// Works on the sanitizer's shadow, which has one bit for each bit of memory, set where it is secret.
[[gnu::target("avx512f")]] void spread_secrets(void* line) noexcept {
    constexpr uintptr_t kShadowOfX86_64 = 0x500000000000;  // MSan's mapping on Linux: address xor this
    auto* shadow = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(line) ^ kShadowOfX86_64);
    const __m512i bits = _mm512_load_si512(shadow);
    _mm512_store_si512(shadow, _mm512_maskz_set1_epi64(_mm512_test_epi64_mask(bits, bits), -1));
}

}  // namespace octavo::ct
