#include <immintrin.h>

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/wipe.hpp"
#include "kernel/x25519/x25519_rows.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512ifma,avx512bw,avx512dq"))), apply_to = function)
#else
#pragma GCC push_options
// scheduled for the CPU on which the ladder's order was chosen; it decides on no instruction set
#pragma GCC target("avx512f,avx512ifma,avx512bw,avx512dq,tune=sapphirerapids")
// GCC bug 105593: it takes _mm512_undefined_epi32 inside the intrinsics for our uninitialized variable
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "kernel/x25519/x25519_impl.hpp"

namespace octavo::kernel::x25519 {
namespace {

#include "kernel/lanes/v_avx512.hpp"

}  // namespace

void keygen_avx512ifma(KeygenJob* jobs, std::size_t count) noexcept { lanes::run_wiped(run_keygen<V>, jobs, count); }
void derive_avx512ifma(DeriveJob* jobs, std::size_t count) noexcept { lanes::run_wiped(run_derive<V>, jobs, count); }

}  // namespace octavo::kernel::x25519

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
