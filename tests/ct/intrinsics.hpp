#pragma once

#include <immintrin.h>

/// Stand-ins for intrinsics whose secrets MemorySanitizer of clang 14 follows badly; put before every checked source.
namespace octavo::ct {

/// Makes each 64-bit lane at `line` (64-byte aligned) wholly secret if any bit of it is. spread.cc, not instrumented.
void spread_secrets(void* line) noexcept;

/// The sanitizer lets no secret travel by a carry: x - y has secret bits only where x or y has. The sign of a difference,
/// and all that is chosen by it, would pass for public. So after each sum and product the whole lane is secret.
[[gnu::target("avx512f")]] inline __m512i spread(__m512i value) {
    alignas(64) __m512i line = value;
    spread_secrets(&line);
    return line;
}

}  // namespace octavo::ct

#define _mm512_add_epi64(a, b) ::octavo::ct::spread(_mm512_add_epi64(a, b))
#define _mm512_add_epi32(a, b) ::octavo::ct::spread(_mm512_add_epi32(a, b))
#define _mm512_sub_epi64(a, b) ::octavo::ct::spread(_mm512_sub_epi64(a, b))
#define _mm512_mask_add_epi64(from, mask, a, b) ::octavo::ct::spread(_mm512_mask_add_epi64(from, mask, a, b))
#define _mm512_mask_sub_epi64(from, mask, a, b) ::octavo::ct::spread(_mm512_mask_sub_epi64(from, mask, a, b))
#define _mm512_mullo_epi64(a, b) ::octavo::ct::spread(_mm512_mullo_epi64(a, b))
#define _mm512_mul_epi32(a, b) ::octavo::ct::spread(_mm512_mul_epi32(a, b))
#define _mm512_abs_epi64(a) ::octavo::ct::spread(_mm512_abs_epi64(a))
#define _mm512_madd52lo_epu64(sum, a, b) ::octavo::ct::spread(_mm512_madd52lo_epu64(sum, a, b))
#define _mm512_madd52hi_epu64(sum, a, b) ::octavo::ct::spread(_mm512_madd52hi_epu64(sum, a, b))
