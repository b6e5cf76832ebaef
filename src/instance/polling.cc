#include "instance/polling.hpp"

#include <pthread.h>

#include <atomic>
#include <mutex>

#include "base/error.hpp"
#include "base/fork.hpp"

namespace octavo::instance {
namespace {

constexpr std::uint64_t kMaxIntervalNs = 10'000'000;
constexpr std::uint32_t kMaxTimeoutMs = 60'000;
constexpr std::int32_t kMaxRetries = 100'000, kUnlimited = -1;
constexpr std::size_t kKinds = 3;

struct Settings {
    fork::Mutex mutex{fork::Rank::table};
    // guarded by the mutex
    Polling polling;
    bool is_started = false;

    std::atomic<std::uint64_t> number{1};
};

Settings* const the_settings = new Settings;  // see base/fork.hpp
Settings& settings() noexcept { return *the_settings; }

/// A line of the cache for each: threads write them.
struct alignas(64) InFlight {
    std::int32_t count = 0;
};
InFlight in_flight[kKinds];
std::atomic<std::int32_t> max_retries{8};
std::atomic<std::uint64_t> retries{0};

std::atomic_ref<std::int32_t> counter(std::size_t kind) noexcept {
    return std::atomic_ref<std::int32_t>{in_flight[kind - 1].count};
}

/// What is in flight stays the parent's.
void in_child() noexcept {
    for (std::size_t kind = 1; kind <= kKinds; ++kind) counter(kind).store(0, std::memory_order_relaxed);
    retries.store(0, std::memory_order_relaxed);
}
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, in_child);

octavo_status check(const octavo_polling& given) noexcept {
    if (given.mode > OCTAVO_POLLING_INLINE)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "settings.mode: %u is none; see octavo_polling_mode", given.mode);
    if (given.driver > OCTAVO_DRIVER_THREADS)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "settings.driver: %u is none; see octavo_driver", given.driver);
    if (given.interval_ns > kMaxIntervalNs)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "settings.interval_ns: %llu; 1 to %llu, or 0 for 10000",
                    static_cast<unsigned long long>(given.interval_ns),
                    static_cast<unsigned long long>(kMaxIntervalNs));
    if (given.timeout_ms > kMaxTimeoutMs)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "settings.timeout_ms: %u; 1 to %u, or 0 for 1000", given.timeout_ms,
                    kMaxTimeoutMs);
    return OCTAVO_OK;
}

Polling to_polling(const octavo_polling& given) noexcept {
    Polling polling;
    polling.mode = static_cast<octavo_polling_mode>(given.mode);
    polling.driver = static_cast<octavo_driver>(given.driver);
    if (given.interval_ns != 0) polling.interval_ns = given.interval_ns;
    if (given.timeout_ms != 0) polling.timeout_ms = given.timeout_ms;
    return polling;
}

}  // namespace

octavo_status set_polling(const octavo_polling& given) noexcept {
    if (const auto status = check(given); status != OCTAVO_OK) return status;
    const auto wanted = to_polling(given);
    auto& self = settings();
    const std::lock_guard lock{self.mutex};
    if (self.polling == wanted) return OCTAVO_OK;
    if (self.is_started)
        return fail(OCTAVO_ERR_STARTED,
                    "settings: instances have started with others; set them earlier, or call octavo_polling_reset()");
    self.polling = wanted;
    return OCTAVO_OK;
}

void reset_polling() noexcept {
    auto& self = settings();
    const std::lock_guard lock{self.mutex};
    self.polling = {};
    self.is_started = false;
    self.number.fetch_add(1, std::memory_order_release);
}

Polling polling() noexcept {
    auto& self = settings();
    const std::lock_guard lock{self.mutex};
    return self.polling;
}

Polling start_polling() noexcept {
    auto& self = settings();
    const std::lock_guard lock{self.mutex};
    self.is_started = true;
    return self.polling;
}

std::uint64_t polling_number() noexcept { return settings().number.load(std::memory_order_acquire); }

const volatile std::int32_t* in_flight_address(std::uint32_t kind) noexcept {
    return kind >= 1 && kind <= kKinds ? &in_flight[kind - 1].count : nullptr;
}

octavo_in_flight kind_of(std::uint32_t) noexcept { return OCTAVO_IN_FLIGHT_ASYMMETRIC; }

void add_in_flight(octavo_in_flight kind, std::int32_t more) noexcept {
    counter(kind).fetch_add(more, std::memory_order_relaxed);
}

octavo_status set_retry_limit(std::int32_t limit) noexcept {
    if (limit < kUnlimited || limit > kMaxRetries)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "limit: %d; 0 to %d, or -1 for without limit", limit, kMaxRetries);
    max_retries.store(limit, std::memory_order_relaxed);
    return OCTAVO_OK;
}

std::int32_t retry_limit() noexcept { return max_retries.load(std::memory_order_relaxed); }
void count_retry() noexcept { retries.fetch_add(1, std::memory_order_relaxed); }
std::uint64_t retry_count() noexcept { return retries.load(std::memory_order_relaxed); }

}  // namespace octavo::instance
