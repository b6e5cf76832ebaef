#include <immintrin.h>

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/wipe.hpp"
#include "kernel/ed25519/ed25519_rows.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512ifma,avx512bw,avx512dq"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512ifma,avx512bw,avx512dq")
// GCC bug 105593: it takes _mm512_undefined_epi32 inside the intrinsics for our uninitialized variable
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "kernel/ed25519/ed25519_impl.hpp"

namespace octavo::kernel::ed25519 {
namespace {

#include "kernel/lanes/v_avx512.hpp"

}  // namespace

void keygen_avx512ifma(KeygenJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(run_groups<keygen_group<V>, SignWork<V>, KeygenJob>, jobs, count);
}
void sign_avx512ifma(SignJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(run_groups<sign_group<V>, SignWork<V>, SignJob>, jobs, count);
}
void verify_avx512ifma(VerifyJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(run_groups<verify_group<V>, VerifyWork<V>, VerifyJob>, jobs, count);
}

}  // namespace octavo::kernel::ed25519

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
