#pragma once

#include <time.h>

#include <cstdint>

namespace octavo {

/// CLOCK_MONOTONIC in nanoseconds; no system call where the kernel offers a vDSO clock.
inline std::uint64_t now_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace octavo
