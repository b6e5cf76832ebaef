#pragma once

#include <octavo/octavo.h>

#include <cstdint>

/// Polling settings and numbers of the process, as octavo.h has them ("polling"). Any thread may call.
namespace octavo::instance {

/// How an instance is polled. Fields without a meaning in the mode are at their defaults.
struct Polling {
    octavo_polling_mode mode = OCTAVO_POLLING_DEFAULT;
    octavo_driver driver = OCTAVO_DRIVER_AUTO;
    std::uint64_t interval_ns = 10'000;
    std::uint32_t timeout_ms = 1'000;

    friend bool operator==(const Polling&, const Polling&) = default;
};

/// octavo_polling_set(), with a checked `size`.
[[nodiscard]] octavo_status set_polling(const octavo_polling& given) noexcept;
/// octavo_polling_reset()
void reset_polling() noexcept;
/// What was set, or the default.
Polling polling() noexcept;
/// The same for an instance that starts: from here on they hold until reset_polling().
Polling start_polling() noexcept;
/// A number that changes with each reset_polling(), after which threads' instances are made anew. No lock; never 0.
std::uint64_t polling_number() noexcept;

/// octavo_polling_in_flight(), kind by kind; null for another.
const volatile std::int32_t* in_flight_address(std::uint32_t kind) noexcept;
/// The kind of an operation: an octavo_in_flight.
octavo_in_flight kind_of(std::uint32_t operation) noexcept;
/// So many requests more (or fewer) are in flight.
void add_in_flight(octavo_in_flight kind, std::int32_t more) noexcept;

[[nodiscard]] octavo_status set_retry_limit(std::int32_t limit) noexcept;
std::int32_t retry_limit() noexcept;
void count_retry() noexcept;
std::uint64_t retry_count() noexcept;

}  // namespace octavo::instance
