#include <immintrin.h>

#include <algorithm>
#include <new>

#include "base/wipe.hpp"
#include "kernel/lanes/clean_stack.hpp"
#include "kernel/modexp/modexp_rows.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512ifma,avx512bw,avx512dq"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512ifma,avx512bw,avx512dq")
// GCC bug 105593: it takes _mm512_undefined_epi32 inside the intrinsics for our uninitialized variable
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "kernel/rsa/rsa_batch_impl.hpp"
#include "kernel/rsa/v_avx512.hpp"

namespace octavo::kernel::modexp {
namespace {

using rsa::HalfWork, rsa::kLaneCount, rsa::V;

/// Short exponents too: rsa::read_bytes() reads numbers of eight bytes and more.
template <int kLimbs>
void read_exponent(HalfWork<kLimbs>& work, int lane, const Job& job) noexcept {
    std::uint8_t padded[kMaxModulusBytes / 2];
    const WipeOnExit wiper{padded};
    std::fill_n(padded, job.len - job.exponent_len, std::uint8_t{0});
    std::copy_n(job.exponent, job.exponent_len, padded + (job.len - job.exponent_len));
    rsa::read_bytes(work.exponent, lane, padded, job.len, kLimbs);
}

template <int kLimbs>
void run(Job* jobs, std::size_t count, void* scratch) noexcept {
    static_assert(sizeof(HalfWork<kLimbs>) <= kLaneScratchLen);
    auto& work = *new (scratch) HalfWork<kLimbs>;
    const WipeOnExit wiper{work};
    const rsa::ModulusForm<rsa::kMaxPublicLimbs>* moduli[kLaneCount];
    std::size_t exponent_len = 1;
    for (std::size_t l = 0; l < kLaneCount; ++l) {
        const Job& job = jobs[rsa::job_of_lane(l, count, kLaneCount)];
        moduli[l] = &job.form->key.modulus;
        exponent_len = std::max(exponent_len, job.exponent_len);
        rsa::read_bytes(work.x, static_cast<int>(l), job.base, job.len, kLimbs);
        read_exponent(work, static_cast<int>(l), job);
    }
    rsa::spread_modulus(work.mod, moduli);
    rsa::multiply<V>(work.x, work.x, work.mod.enter, work.mod, work.columns);
    rsa::power_secret<V>(work, static_cast<int>(exponent_len) * 8 / rsa::kWindowBits);
    rsa::leave_domain<V>(work);
    for (std::size_t l = 0; l < count; ++l) {
        rsa::write_bytes(jobs[l].out, jobs[l].len, work.x, static_cast<int>(l));
        jobs[l].ok = true;
    }
}

}  // namespace

void run_avx512ifma(Job* jobs, std::size_t count, void* scratch) noexcept {
    const auto run_length = jobs->len == 256 ? run<40> : jobs->len == 384 ? run<60> : run<80>;
    run_length(jobs, count, scratch);
    lanes::clean_stack();
}

}  // namespace octavo::kernel::modexp

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
