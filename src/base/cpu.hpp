#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace octavo::cpu {

/// A set of CPU features that rows of kernel tables ask for. A vector feature counts only where the operating system
/// saves its registers too.
enum Features : std::uint32_t {
    none = 0,
    avx2 = 1U << 0,
    bmi2 = 1U << 1,
    adx = 1U << 2,
    avx512f = 1U << 3,
    avx512bw = 1U << 4,
    avx512vl = 1U << 5,
    avx512dq = 1U << 6,
    avx512ifma = 1U << 7,
    avx512vbmi2 = 1U << 8,
    vaes = 1U << 9,
    vpclmulqdq = 1U << 10,
};
constexpr Features operator|(Features a, Features b) noexcept {
    return static_cast<Features>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

struct FeatureName {
    Features feature;
    const char* name;
};
/// Every feature with the name that `octavo info` prints and OCTAVO_DISABLE_CPU takes.
std::span<const FeatureName> feature_names() noexcept;

/// What the CPU and the operating system offer, before any override.
Features detected() noexcept;

/// What rows may use: `detected()` less the features that OCTAVO_DISABLE_CPU names (a comma-separated list; read once,
/// with secure_getenv) and less what `disable()` took away.
Features available() noexcept;

/// The feature of that name; `none` where there is none.
Features feature_of(std::string_view name) noexcept;

/// Names in OCTAVO_DISABLE_CPU that are no feature; empty when all are known.
std::string unknown_disabled_names();

/// Tests only: takes features away from `available()` (with `none`: gives all back) for the whole process.
void disable(Features features) noexcept;

/// Whether the calling thread may run on a single core. False where the system does not say.
bool is_pinned_to_one_core() noexcept;

constexpr bool has(Features have, Features needs) noexcept { return (have & needs) == needs; }

}  // namespace octavo::cpu
