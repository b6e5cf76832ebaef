#include "speed/limit.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/cpu.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace octavo::cli {
namespace {

// Two multipliers of 4 cycles' latency need 8 independent sums; 16 leave slack and still fit the registers.
constexpr int kSums = 16;
constexpr std::uint64_t kTurns = 100'000;
constexpr int kTries = 21;

#if defined(__x86_64__)
constexpr auto kNeeds = cpu::avx512f | cpu::avx512ifma;

[[gnu::target("avx512f,avx512ifma"), gnu::noinline]] std::uint64_t multiply_add_loop(std::uint64_t turns) {
    const __m512i factor = _mm512_set1_epi64(0x000f'edcb'a987'6543);
    __m512i sums[kSums];
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_epi64(i);
    for (std::uint64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 16
        for (int i = 0; i < kSums; ++i) sums[i] = _mm512_madd52lo_epu64(sums[i], factor, factor);
    }
    for (int i = 1; i < kSums; ++i) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
    std::uint64_t folded[8];
    _mm512_storeu_si512(folded, sums[0]);
    return folded[0];
}
#else
constexpr auto kNeeds = static_cast<cpu::Features>(~0U);
std::uint64_t multiply_add_loop(std::uint64_t) { return 0; }
#endif

}  // namespace

std::optional<double> multiply_add_peak() {
    if (!cpu::has(cpu::available(), kNeeds)) return std::nullopt;
    using Clock = std::chrono::steady_clock;
    double best = 0;
    for (int i = 0; i < kTries; ++i) {
        const auto start = Clock::now();
        [[maybe_unused]] volatile const std::uint64_t sink = multiply_add_loop(kTurns);
        const double ns = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
        best = std::max(best, static_cast<double>(kTurns) * kSums / ns);
    }
    return best;
}

}  // namespace octavo::cli
