#pragma once

namespace octavo::cli {

/// Nanoseconds for which this thread could have run, but another had the core (the second field of /proc/thread-self/schedstat).
/// 0 where the kernel does not tell. For one thread of the process only, the one that asks first.
double waited_for_core_ns() noexcept;

}  // namespace octavo::cli
