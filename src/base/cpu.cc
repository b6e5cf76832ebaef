#include "base/cpu.hpp"

#include <cpuid.h>
#include <sched.h>
#include <stdlib.h>

#include <array>
#include <atomic>
#include <string_view>

#include "base/text.hpp"

namespace octavo::cpu {
namespace {

constexpr std::array kNames = {
    FeatureName{avx2, "avx2"},
    FeatureName{bmi2, "bmi2"},
    FeatureName{adx, "adx"},
    FeatureName{avx512f, "avx512f"},
    FeatureName{avx512bw, "avx512bw"},
    FeatureName{avx512vl, "avx512vl"},
    FeatureName{avx512dq, "avx512dq"},
    FeatureName{avx512ifma, "avx512ifma"},
    FeatureName{avx512vbmi2, "avx512vbmi2"},
    FeatureName{vaes, "vaes"},
    FeatureName{vpclmulqdq, "vpclmulqdq"},
};

std::atomic<std::uint32_t> disabled_by_tests{0};

/// CPUID leaf 7: clang 14's __builtin_cpu_supports() does not know these names. No register state of its own belongs to adx; the other two
/// use the registers of avx2 or avx512f.
std::uint32_t detect_by_leaf_7() noexcept {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return none;
    std::uint32_t found = none;
    if ((ebx & bit_ADX) != 0) found |= adx;
    if ((ecx & bit_VAES) != 0 && __builtin_cpu_supports("avx2")) found |= vaes;
    if ((ecx & bit_VPCLMULQDQ) != 0 && __builtin_cpu_supports("avx2")) found |= vpclmulqdq;
    return found;
}

Features detect() noexcept {
    __builtin_cpu_init();
    std::uint32_t found = detect_by_leaf_7();
    if (__builtin_cpu_supports("avx2")) found |= avx2;
    if (__builtin_cpu_supports("bmi2")) found |= bmi2;
    if (__builtin_cpu_supports("avx512f")) found |= avx512f;
    if (__builtin_cpu_supports("avx512bw")) found |= avx512bw;
    if (__builtin_cpu_supports("avx512vl")) found |= avx512vl;
    if (__builtin_cpu_supports("avx512dq")) found |= avx512dq;
    if (__builtin_cpu_supports("avx512ifma")) found |= avx512ifma;
    if (__builtin_cpu_supports("avx512vbmi2")) found |= avx512vbmi2;
    return static_cast<Features>(found);
}

std::string_view disable_list() noexcept {
    const char* text = secure_getenv("OCTAVO_DISABLE_CPU");
    return text == nullptr ? std::string_view{} : std::string_view{text};
}

std::uint32_t disabled_by_environment() noexcept {
    std::uint32_t bits = 0;
    for_each_item(disable_list(), ',', [&](std::string_view name) { bits |= feature_of(name); });
    return bits;
}

/// What `find` finds, which is the same each time. `memory` is 0 at first.
template <typename Find>
std::uint32_t found_once(std::atomic<std::uint32_t>& memory, Find&& find) noexcept {
    constexpr std::uint32_t kIsKnown = std::uint32_t{1} << 31;
    auto bits = memory.load(std::memory_order_relaxed);
    if (bits == 0) memory.store(bits = find() | kIsKnown, std::memory_order_relaxed);
    return bits & ~kIsKnown;
}

}  // namespace

std::span<const FeatureName> feature_names() noexcept { return kNames; }

Features feature_of(std::string_view name) noexcept {
    for (const auto& row : kNames)
        if (name == row.name) return row.feature;
    return none;
}

Features detected() noexcept {
    static std::atomic<std::uint32_t> once{0};
    return static_cast<Features>(found_once(once, detect));
}

Features available() noexcept {
    static std::atomic<std::uint32_t> once{0};
    const auto taken_away = found_once(once, disabled_by_environment);
    return static_cast<Features>(detected() & ~taken_away & ~disabled_by_tests.load(std::memory_order_relaxed));
}

std::string unknown_disabled_names() {
    std::string unknown;
    for_each_item(disable_list(), ',', [&](std::string_view name) {
        if (feature_of(name) != none) return;
        if (!unknown.empty()) unknown += ',';
        unknown += name;
    });
    return unknown;
}

void disable(Features features) noexcept { disabled_by_tests.store(features, std::memory_order_relaxed); }

bool is_pinned_to_one_core() noexcept {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
}

}  // namespace octavo::cpu
