#include <immintrin.h>

#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "base/wipe.hpp"
#include "kernel/lanes/clean_stack.hpp"
#include "kernel/rsa/rsa_forms.hpp"
#include "kernel/rsa/rsa_rows.hpp"

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

namespace octavo::kernel::rsa {
namespace {

/// Runs `batch` on a workspace of type Work made in `scratch`. It holds the plaintext, also of a public operation.
template <typename Work>
void in_scratch(void* scratch, void (*batch)(Work&, Job*, std::size_t), Job* jobs, std::size_t count) noexcept {
    {
        auto& work = *new (scratch) Work;
        const WipeOnExit wiper(work);
        batch(work, jobs, count);
    }
    lanes::clean_stack();
}

}  // namespace

static_assert(sizeof(Workspace) <= kLaneScratchLen && alignof(Workspace) == 64);

void run_public_avx512ifma(Job* jobs, std::size_t count, void* scratch) noexcept {
    switch (jobs->len) {
        case 256:
            return in_scratch(scratch, run_public_batch<V, 40>, jobs, count);
        case 384:
            return in_scratch(scratch, run_public_batch<V, 60>, jobs, count);
        default:
            return in_scratch(scratch, run_public_batch<V, 80>, jobs, count);
    }
}

void run_private_avx512ifma(Job* jobs, std::size_t count, void* scratch) noexcept {
    switch (jobs->len) {
        case 256:
            return in_scratch(scratch, run_private_batch<V, 20>, jobs, count);
        case 384:
            return in_scratch(scratch, run_private_batch<V, 30>, jobs, count);
        default:
            return in_scratch(scratch, run_private_batch<V, 40>, jobs, count);
    }
}

}  // namespace octavo::kernel::rsa

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
