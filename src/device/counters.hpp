#pragma once

#include <octavo/octavo.h>

#include <atomic>
#include <bit>
#include <cstdint>

#include "device/switches.hpp"

namespace octavo::device {

using Counter = std::atomic<std::uint64_t>;
static_assert(Counter::is_always_lock_free && sizeof(Counter) == 8);

/// Adds where one thread at a time writes: other threads and processes may read, and no locked instruction is needed.
inline void add(Counter& counter, std::uint64_t value) noexcept {
    if (!is_counting) return;
    counter.store(counter.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

/// An instance's counters; each means what its namesake in octavo_statistics does. Each has one writer at a time: the instance's
/// thread, or for `by_engine` the engine thread.
struct Counters {
    /// What happens to requests, by whoever runs them.
    struct Work {
        Counter lane_requests, scalar_requests;
        Counter fallback[OCTAVO_FALLBACK_REASONS];
        Counter batch_size[OCTAVO_BATCH_BUCKETS];
        Counter queue_time[OCTAVO_TIME_BUCKETS];
        Counter service_time[OCTAVO_TIME_BUCKETS];
    };

    alignas(64) Counter submitted, completed, failed, cancelled, retried, in_flight, in_place;
    Counter last_submit_ns;  ///< CLOCK_MONOTONIC; 0: never
    Work by_owner;           ///< in place and inline
    alignas(64) Work by_engine;
    alignas(64) Work by_rescuer;  ///< of requests taken from an endpoint that went away
};

/// The bucket of a histogram of times: i for 2^i <= ns < 2^(i+1), the last for all above.
inline std::size_t time_bucket(std::uint64_t ns) noexcept {
    const auto bucket = static_cast<std::size_t>(std::bit_width(ns | 1)) - 1;
    return bucket < OCTAVO_TIME_BUCKETS ? bucket : OCTAVO_TIME_BUCKETS - 1;
}
inline std::size_t batch_bucket(std::size_t count) noexcept {
    return count < OCTAVO_BATCH_BUCKETS ? count - 1 : OCTAVO_BATCH_BUCKETS - 1;
}

}  // namespace octavo::device
