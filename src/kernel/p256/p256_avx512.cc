#include <immintrin.h>

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/wipe.hpp"
#include "kernel/p256/p256_rows.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512ifma,avx512bw,avx512dq"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512ifma,avx512bw,avx512dq")
// GCC bug 105593: it takes _mm512_undefined_epi32 inside the intrinsics for our uninitialized variable
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "kernel/ec/nonce_impl.hpp"
#include "kernel/p256/p256_curve.hpp"

namespace octavo::kernel::p256 {
namespace {

#include "kernel/lanes/v_avx512.hpp"
#include "kernel/lanes/w_avx512.hpp"

}  // namespace

void keygen_avx512ifma(ec::KeygenJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(ec::run_keygen<V, Curve>, jobs, count);
}

void derive_avx512ifma(ec::DeriveJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(ec::run_derive<V, Curve>, jobs, count);
}

void sign_avx512ifma(ec::SignJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(ec::run_sign<V, Curve>, jobs, count);
}

void verify_avx512ifma(ec::VerifyJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(ec::run_verify<V, Curve>, jobs, count);
}

void nonces_avx512ifma(ec::NonceJob* jobs, std::size_t count) noexcept {
    lanes::run_wiped(ec::run_nonces<V, Curve, W, ec::NonceSha256>, jobs, count);
}

}  // namespace octavo::kernel::p256

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
