/// Octavo for C++20: what belongs to a process or a thread and not to one instance. Included by octavo.hpp. What octavo.h says holds here as well.
#ifndef OCTAVO_PROCESS_HPP
#define OCTAVO_PROCESS_HPP

#include <octavo/octavo.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <octavo/octavo.hpp>
#include <utility>

namespace octavo {
inline namespace v0 {

/// octavo_version(): of the library that runs.
inline std::uint32_t library_version() noexcept { return octavo_version(); }
/// octavo_calls_openssl().
inline bool calls_openssl() noexcept { return octavo_calls_openssl() == 1; }
/// octavo_cpu_has(): false also for null and unknown names.
inline bool cpu_has(const char* feature) noexcept { return octavo_cpu_has(feature) == 1; }

// ---- the thread's instance ----

/// octavo_thread_instance(): borrowed, so a handle and no Instance.
inline Result<octavo_instance> thread_instance() noexcept {
    return detail::ask<octavo_instance>(octavo_thread_instance);
}
inline Status configure_thread_instance(const InstanceOptions& options) noexcept {
    const auto config = detail::config_of(options);
    return static_cast<Status>(octavo_thread_instance_configure(&config));
}

// ---- sections ----

/// octavo_section_start(), octavo_section_set(), octavo_section_stop().
inline Status start_section(const char* name) noexcept { return static_cast<Status>(octavo_section_start(name)); }
inline Status set_section(const char* name) noexcept { return static_cast<Status>(octavo_section_set(name)); }
inline Status stop_section() noexcept { return static_cast<Status>(octavo_section_stop()); }

/// A name without an allocation.
struct SectionName {
    char text[OCTAVO_SECTION_NAME];
};
/// octavo_section_name(): "" where the process has none.
inline SectionName section_name() noexcept {
    SectionName name{};
    octavo_section_name(name.text, sizeof name.text);  // fails only without the room
    return name;
}
/// octavo_section_count() and octavo_section_get(): 0 without a section.
inline std::size_t count_section_instances() noexcept {
    std::size_t count = 0;
    octavo_section_count(&count);  // fails only without a place for the count
    return count;
}
using SectionInstance = octavo_section_instance;
inline Result<SectionInstance> get_section_instance(std::size_t index) noexcept {
    SectionInstance instance{};
    instance.size = sizeof instance;
    const auto status = static_cast<Status>(octavo_section_get(index, &instance));
    if (status != Status::ok) return status;
    return instance;
}
/// octavo_section_bind() and octavo_section_binding(): the calling thread's; SIZE_MAX: none.
inline Status bind_to_section(std::size_t index) noexcept { return static_cast<Status>(octavo_section_bind(index)); }
inline Result<std::size_t> section_binding() noexcept { return detail::ask<std::size_t>(octavo_section_binding); }

// ---- polling ----

/// The fields of octavo_polling; as it stands, all defaults. A duration of 0 stands for the default.
struct PollingOptions {
    PollingMode mode = PollingMode::standard;
    Driver driver = Driver::automatic;
    std::chrono::nanoseconds interval{0};
    std::chrono::milliseconds timeout{0};
};

/// octavo_polling_set(). A duration below 0, or of a timeout beyond 32 bits, is Status::bad_argument.
inline Status set_polling(const PollingOptions& options) noexcept {
    const auto limit = std::chrono::milliseconds{std::numeric_limits<std::uint32_t>::max()};
    octavo_polling raw{};
    raw.size = sizeof raw;
    raw.mode = static_cast<std::uint32_t>(options.mode);
    raw.driver = static_cast<std::uint32_t>(options.driver);
    raw.interval_ns = static_cast<std::uint64_t>(options.interval.count());  // below 0: beyond the range
    const bool fits = options.timeout.count() >= 0 && options.timeout <= limit;
    raw.timeout_ms = fits ? static_cast<std::uint32_t>(options.timeout.count()) : std::uint32_t{UINT32_MAX};
    return static_cast<Status>(octavo_polling_set(&raw));
}
/// octavo_polling_get(): what was set, with defaults filled in.
inline Result<PollingOptions> get_polling() noexcept {
    octavo_polling raw{};
    raw.size = sizeof raw;
    const auto status = static_cast<Status>(octavo_polling_get(&raw));
    if (status != Status::ok) return status;
    return PollingOptions{static_cast<PollingMode>(raw.mode), static_cast<Driver>(raw.driver),
                          std::chrono::nanoseconds{raw.interval_ns}, std::chrono::milliseconds{raw.timeout_ms}};
}
inline Status reset_polling() noexcept { return static_cast<Status>(octavo_polling_reset()); }

/// octavo_polling_poll(): how many have been handed over.
inline Result<std::size_t> poll_instances(std::size_t index = OCTAVO_POLLING_ALL) noexcept {
    return detail::ask<std::size_t>(octavo_polling_poll, index);
}
/// octavo_polling_fd(): borrowed.
inline Result<int> polling_fd(std::size_t index = 0) noexcept { return detail::ask<int>(octavo_polling_fd, index); }
/// octavo_polling_count() and octavo_polling_bind().
inline std::size_t count_polled() noexcept {
    std::size_t count = 0;
    octavo_polling_count(&count);  // fails only without a place for the count
    return count;
}
inline Status bind_to_polled(std::size_t index) noexcept { return static_cast<Status>(octavo_polling_bind(index)); }

enum class InFlight : std::uint32_t {
    asymmetric = OCTAVO_IN_FLIGHT_ASYMMETRIC,
    kdf = OCTAVO_IN_FLIGHT_KDF,
    cipher = OCTAVO_IN_FLIGHT_CIPHER
};
/// octavo_polling_in_flight(): where the number is; valid as long as the process lives.
inline Result<const volatile std::int32_t*> in_flight(InFlight kind) noexcept {
    return detail::ask<const volatile std::int32_t*>(octavo_polling_in_flight, static_cast<std::uint32_t>(kind));
}

/// octavo_retry_limit_set(), octavo_retry_limit_get() and octavo_retry_count(), which fail only without a place for the answer.
inline Status set_retry_limit(std::int32_t limit) noexcept {
    return static_cast<Status>(octavo_retry_limit_set(limit));
}
inline std::int32_t retry_limit() noexcept {
    std::int32_t limit = 0;
    octavo_retry_limit_get(&limit);
    return limit;
}
inline std::uint64_t count_retries() noexcept {
    std::uint64_t count = 0;
    octavo_retry_count(&count);
    return count;
}

// ---- endpoints ----

struct Endpoint {
    std::uint32_t number;
    EndpointState state;
    bool is_alive;  ///< the heartbeat: up, and answers what it is given
    std::size_t num_instances;
};

inline std::size_t count_endpoints() noexcept {
    std::size_t count = 0;
    octavo_endpoint_count(&count);  // fails only without a place for the count
    return count;
}
/// octavo_endpoint_get(): the one at `index`, below count_endpoints(), as it is now.
inline Result<Endpoint> get_endpoint(std::size_t index) noexcept {
    octavo_endpoint raw{};
    raw.size = sizeof raw;
    const auto status = static_cast<Status>(octavo_endpoint_get(index, &raw));
    if (status != Status::ok) return status;
    return Endpoint{raw.number, static_cast<EndpointState>(raw.state), raw.is_alive == 1, raw.num_instances};
}

enum class Event : std::uint32_t {
    restarting = OCTAVO_EVENT_RESTARTING,
    restarted = OCTAVO_EVENT_RESTARTED,
    down = OCTAVO_EVENT_DOWN
};

/// Who is told of the endpoints' events, for as long as it lives: octavo_event_subscribe(). Neither begins nor ends in an event's callback.
class Subscription {
public:
    using Callback = octavo_event_callback;  ///< of its `event`: an Event

    Subscription() = default;
    Subscription(Subscription&& other) noexcept : number_(std::exchange(other.number_, 0)) {}
    Subscription& operator=(Subscription&& other) noexcept {
        if (this != &other) reset(std::exchange(other.number_, 0));
        return *this;
    }
    /// The callback does not run any more when it returns.
    ~Subscription() { reset(); }

    static Result<Subscription> create(Callback* callback, void* argument) noexcept {
        return detail::own<Subscription, std::uint64_t>(octavo_event_subscribe, callback, argument);
    }
    explicit operator bool() const noexcept { return number_ != 0; }
    /// Ends the one held, if any, and takes another.
    void reset(std::uint64_t number = 0) noexcept {
        const auto old = std::exchange(number_, number);
        if (old != 0) octavo_event_unsubscribe(old);
    }

private:
    std::uint64_t number_ = 0;
};

/// octavo_software_fallback_set() and octavo_software_fallback_get().
inline void set_software_fallback(bool is_on) noexcept { octavo_software_fallback_set(is_on ? 1 : 0); }
inline bool software_fallback() noexcept {
    int is_on = 1;
    octavo_software_fallback_get(&is_on);
    return is_on == 1;
}

}  // namespace v0
}  // namespace octavo

#endif
