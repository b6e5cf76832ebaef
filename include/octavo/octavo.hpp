/// Octavo for C++20: owners for the handles of octavo.h, spans for its operands, values for its errors. Header only; throws
/// nothing and needs neither exceptions nor RTTI. What octavo.h says of threads, fork, timing and lifetimes holds here as well; this
/// header says only what it adds.
///
/// Every owner can be moved and not copied, and may be empty (default-made, moved from, or released). A call on an empty owner passes the
/// handle 0 on and answers Status::bad_handle.
#ifndef OCTAVO_OCTAVO_HPP
#define OCTAVO_OCTAVO_HPP

#include <octavo/octavo.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace octavo {
inline namespace v0 {

/// octavo_status as a type that must not be dropped. `ok` and above are answers, below it are errors.
enum class [[nodiscard]] Status : int{
    ok = OCTAVO_OK,
    retry = OCTAVO_RETRY,
    pending = OCTAVO_PENDING,
    cancelled = OCTAVO_CANCELLED,
    timeout = OCTAVO_TIMEOUT,
    portable = OCTAVO_PORTABLE,
    null_argument = OCTAVO_ERR_NULL_ARGUMENT,
    bad_handle = OCTAVO_ERR_BAD_HANDLE,
    bad_argument = OCTAVO_ERR_BAD_ARGUMENT,
    bad_length = OCTAVO_ERR_BAD_LENGTH,
    input_too_large = OCTAVO_ERR_INPUT_TOO_LARGE,
    overlap = OCTAVO_ERR_OVERLAP,
    no_private_key = OCTAVO_ERR_NO_PRIVATE_KEY,
    no_memory = OCTAVO_ERR_NO_MEMORY,
    system = OCTAVO_ERR_SYSTEM,
    unsupported = OCTAVO_ERR_UNSUPPORTED,
    operation_failed = OCTAVO_ERR_OPERATION_FAILED,
    internal = OCTAVO_ERR_INTERNAL,
    configuration = OCTAVO_ERR_CONFIGURATION,
    no_section = OCTAVO_ERR_NO_SECTION,
    started = OCTAVO_ERR_STARTED,
    device = OCTAVO_ERR_DEVICE,
    key_n = OCTAVO_ERR_KEY_N,
    key_e = OCTAVO_ERR_KEY_E,
    key_d = OCTAVO_ERR_KEY_D,
    key_p = OCTAVO_ERR_KEY_P,
    key_q = OCTAVO_ERR_KEY_Q,
    key_dp = OCTAVO_ERR_KEY_DP,
    key_dq = OCTAVO_ERR_KEY_DQ,
    key_qinv = OCTAVO_ERR_KEY_QINV,
    key_extra_prime = OCTAVO_ERR_KEY_EXTRA_PRIME,
};

constexpr bool is_error(Status status) noexcept { return static_cast<int>(status) < 0; }
/// "OCTAVO_RETRY" and the like; static.
inline const char* name(Status status) noexcept { return octavo_status_name(static_cast<octavo_status>(status)); }
/// The calling thread's last error as a sentence. Valid until the thread's next call.
inline std::string_view error_text() noexcept { return octavo_error_text(); }

/// A value, or the status that says why there is none. A submission has a value with Status::pending as well as with Status::ok.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(Status status) noexcept : status_(status) {}
    Result(T value, Status status = Status::ok) noexcept : status_(status), value_(std::move(value)) {}

    bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    Status status() const noexcept { return status_; }

    /// Only where has_value().
    T& operator*() & noexcept { return (assert(value_), *value_); }
    const T& operator*() const& noexcept { return (assert(value_), *value_); }
    T&& operator*() && noexcept { return (assert(value_), std::move(*value_)); }
    T* operator->() noexcept { return &**this; }
    const T* operator->() const noexcept { return &**this; }

private:
    Status status_;
    std::optional<T> value_;
};

enum class Operation : std::uint32_t { rsa_private = OCTAVO_RSA_PRIVATE, rsa_public = OCTAVO_RSA_PUBLIC };
enum class Driver : std::uint32_t {
    automatic = OCTAVO_DRIVER_AUTO,
    in_line = OCTAVO_DRIVER_INLINE,
    threads = OCTAVO_DRIVER_THREADS
};
using Statistics = octavo_statistics;
enum class EndpointState : std::uint32_t {
    up = OCTAVO_ENDPOINT_UP,
    restarting = OCTAVO_ENDPOINT_RESTARTING,
    down = OCTAVO_ENDPOINT_DOWN
};

// ---- keys ----

/// Big-endian, borrowed; empty means absent.
using Number = std::span<const std::uint8_t>;

/// A factor beyond p and q: octavo_rsa_prime.
struct RsaPrime {
    Number prime, exponent, coefficient;
};

/// The fields of octavo_rsa_key.
struct RsaNumbers {
    Number n, e, d = {}, p = {}, q = {}, dp = {}, dq = {}, qinv = {};
    std::span<const RsaPrime> extra_primes = {};
};

/// Owns an octavo_key. Any number of threads may use it; one of them destroys it, at the end of its last use.
class Key {
public:
    Key() = default;
    Key(Key&& other) noexcept : key_(other.release()) {}
    Key& operator=(Key&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    ~Key() { reset(); }

    /// octavo_key_create_rsa(): Status::key_... names the field at fault.
    static Result<Key> create_rsa(const RsaNumbers& numbers) noexcept;

    /// The modulus length in bytes, which is the length of inputs and outputs.
    Result<std::size_t> length() const noexcept {
        std::size_t len = 0;
        const auto status = static_cast<Status>(octavo_key_length(key_, &len));
        if (status != Status::ok) return status;
        return len;
    }

    octavo_key handle() const noexcept { return key_; }
    explicit operator bool() const noexcept { return key_.id != 0; }
    /// Gives the handle to the caller, who destroys it.
    octavo_key release() noexcept { return std::exchange(key_, octavo_key{}); }
    /// Destroys the key held, if any, and takes `key` instead.
    void reset(octavo_key key = {}) noexcept {
        const auto old = std::exchange(key_, key);
        if (old.id != 0) octavo_key_destroy(old);
    }

private:
    octavo_key key_{};
};

// ---- requests ----

/// How an engine thread tells a waiter: octavo_wakeup. What it refers to must live until the request completes or is
/// cancelled.
class Wakeup {
public:
    /// None: the caller polls.
    constexpr Wakeup() = default;
    /// Adds 1 to this eventfd.
    static constexpr Wakeup by_fd(int eventfd) noexcept { return Wakeup{{eventfd, nullptr, nullptr}}; }
    /// Calls `call()` on the engine thread; it must be quick and must not block.
    template <typename F>
    requires std::is_nothrow_invocable_v<F&>
    static Wakeup by_call(F& call) noexcept {
        return Wakeup{{-1, [](void* f) { (*static_cast<F*>(f))(); }, static_cast<void*>(std::addressof(call))}};
    }
    constexpr octavo_wakeup raw() const noexcept { return wakeup_; }

private:
    constexpr explicit Wakeup(octavo_wakeup wakeup) noexcept : wakeup_(wakeup) {}
    octavo_wakeup wakeup_{-1, nullptr, nullptr};
};

/// Owns a request without a callback. Its destructor cancels, so that nothing the wake-up refers to is used after it. Belongs to
/// the instance's thread. It may outlive the instance, and is void then.
class Request {
public:
    Request() = default;
    Request(octavo_instance instance, octavo_request request) noexcept : instance_(instance), request_(request) {}
    Request(Request&& other) noexcept : instance_(other.instance_), request_(other.release()) {}
    Request& operator=(Request&& other) noexcept {
        if (this == &other) return *this;
        drop();
        instance_ = other.instance_;
        request_ = other.release();
        return *this;
    }
    ~Request() { drop(); }

    /// Until it is done: ok, or timeout when that is up first. Less than nothing counts as nothing.
    Status wait(std::chrono::nanoseconds timeout) noexcept {
        const auto count = std::max<std::chrono::nanoseconds::rep>(timeout.count(), 0);
        return static_cast<Status>(octavo_wait(instance_, request_, static_cast<std::uint64_t>(count)));
    }
    Status wait() noexcept { return static_cast<Status>(octavo_wait(instance_, request_, UINT64_MAX)); }

    /// Fetches the result: the number of bytes written to `output`, or why there is none. With Status::pending, and where `output` is
    /// too short, nothing has changed; with any other answer this Request is empty.
    Result<std::size_t> result(std::span<std::uint8_t> output) noexcept {
        std::size_t len = 0;
        const auto status = static_cast<Status>(octavo_result(instance_, request_, output.data(), output.size(), &len));
        if (!keeps_handle(status)) release();
        if (status != Status::ok) return status;
        return len;
    }

    /// ok the first time, cancelled where the request was void. This Request is empty then.
    Status cancel() noexcept { return static_cast<Status>(octavo_cancel(instance_, release())); }

    octavo_request handle() const noexcept { return request_; }
    explicit operator bool() const noexcept { return request_.id != 0; }
    /// Gives the handle to the caller, who fetches or cancels.
    octavo_request release() noexcept { return std::exchange(request_, octavo_request{}); }

private:
    static constexpr bool keeps_handle(Status status) noexcept {
        return status == Status::pending || status == Status::bad_length || status == Status::null_argument;
    }
    void drop() noexcept {
        if (request_.id != 0) octavo_cancel(instance_, release());
    }

    octavo_instance instance_{};
    octavo_request request_{};
};

/// A function to run when a request completes, together with the request. Called by Instance::poll() as f(Status,
/// std::span<const std::uint8_t> output), where the output is empty unless the status is ok, and lives until f returns. f may
/// submit (this Completion as well) and cancel; it must not poll, wait on or destroy the instance. An exception that leaves f ends
/// the program.
///
/// Stays where it was made: it is neither moved nor copied. Its destructor cancels, so f never runs after it.
template <typename F>
class Completion {
public:
    static_assert(std::invocable<F&, Status, std::span<const std::uint8_t>>);
    explicit Completion(F function) : function_(std::move(function)) {}
    Completion(const Completion&) = delete;
    Completion& operator=(const Completion&) = delete;
    ~Completion() { drop(); }

    /// True from an accepted submission until f is called, or a cancel.
    bool in_flight() const noexcept { return request_.id != 0; }
    /// ok where there was something to cancel; cancelled where there was not.
    Status cancel() noexcept {
        if (!in_flight()) return Status::cancelled;
        return static_cast<Status>(octavo_cancel(instance_, std::exchange(request_, octavo_request{})));
    }
    F& function() noexcept { return function_; }

private:
    friend class Instance;
    static void run(void* self, octavo_request, octavo_status status, const std::uint8_t* output,
                    std::size_t output_len) noexcept {
        auto& completion = *static_cast<Completion*>(self);
        completion.request_ = {};  // first: f may submit this Completion again
        completion.function_(static_cast<Status>(status), std::span<const std::uint8_t>{output, output_len});
    }
    void drop() noexcept {
        if (in_flight()) octavo_cancel(instance_, std::exchange(request_, octavo_request{}));
    }

    octavo_instance instance_{};
    octavo_request request_{};
    F function_;
};

// ---- instances ----

/// The fields of octavo_instance_config; as it stands, all defaults.
struct InstanceOptions {
    const char* name = nullptr;
    Driver driver = Driver::automatic;
    std::uint32_t ring_size = 0;
    bool never_in_place = false;
};

/// Owns an octavo_instance. Belongs to one thread at a time, together with its requests.
class Instance {
public:
    Instance() = default;
    Instance(Instance&& other) noexcept : instance_(other.release()) {}
    Instance& operator=(Instance&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    /// Cancels what is in flight. Not from within a callback of this instance.
    ~Instance() { reset(); }

    static Result<Instance> create(const InstanceOptions& options = {}) noexcept;

    /// Submits a request whose result is fetched. The Request is there with Status::pending, and with Status::ok where it is
    /// already done; with Status::retry, and with an error, nothing was taken.
    Result<Request> submit(const Key& key, Operation operation, std::span<const std::uint8_t> input,
                           Wakeup wakeup = {}) noexcept {
        const auto submission = make_submission(key, operation, input, wakeup);
        octavo_request request{};
        const auto status = static_cast<Status>(octavo_submit(instance_, &submission, &request));
        if (status != Status::pending && status != Status::ok) return status;
        return {Request{instance_, request}, status};
    }

    /// Submits a request that ends in `completion`: ok and pending when it was accepted, retry or an error when nothing was taken.
    /// Status::bad_argument, without an error text, where `completion` is in flight already.
    template <typename F>
    Status submit(const Key& key, Operation operation, std::span<const std::uint8_t> input, Completion<F>& completion,
                  Wakeup wakeup = {}) noexcept {
        if (completion.in_flight()) return Status::bad_argument;
        auto submission = make_submission(key, operation, input, wakeup);
        submission.callback = &Completion<F>::run;
        submission.callback_argument = &completion;
        octavo_request request{};
        const auto status = static_cast<Status>(octavo_submit(instance_, &submission, &request));
        if (status != Status::pending && status != Status::ok) return status;
        completion.instance_ = instance_;
        completion.request_ = request;
        return status;
    }

    /// Reaps at most `quota` requests and runs their completions: how many.
    Result<std::size_t> poll(std::size_t quota = std::numeric_limits<std::size_t>::max()) noexcept {
        std::size_t num_reaped = 0;
        const auto status = static_cast<Status>(octavo_poll(instance_, quota, &num_reaped));
        if (status != Status::ok) return status;
        return num_reaped;
    }

    /// Reaps what is done; with the inline driver, where nothing is, one batch: how many.
    Result<std::size_t> poll_batch() noexcept {
        std::size_t num_reaped = 0;
        const auto status = static_cast<Status>(octavo_poll_batch(instance_, &num_reaped));
        if (status != Status::ok) return status;
        return num_reaped;
    }

    /// One operation, synchronously: the number of bytes written to `output`, which may be `input`.
    Result<std::size_t> execute(const Key& key, Operation operation, std::span<const std::uint8_t> input,
                                std::span<std::uint8_t> output) noexcept {
        std::size_t len = 0;
        const auto status =
            static_cast<Status>(octavo_execute(instance_, key.handle(), static_cast<std::uint32_t>(operation),
                                               input.data(), input.size(), output.data(), output.size(), &len));
        if (status != Status::ok) return status;
        return len;
    }

    /// octavo_instance_fd(): borrowed.
    Result<int> fd() noexcept {
        int fd = -1;
        const auto status = static_cast<Status>(octavo_instance_fd(instance_, &fd));
        if (status != Status::ok) return status;
        return fd;
    }

    Result<Statistics> statistics() const noexcept {
        Statistics statistics{};
        statistics.size = sizeof statistics;
        const auto status = static_cast<Status>(octavo_instance_statistics(instance_, &statistics));
        if (status != Status::ok) return status;
        return statistics;
    }

    /// octavo_instance_state(): that of its endpoint.
    Result<EndpointState> endpoint_state() const noexcept {
        std::uint32_t state = OCTAVO_ENDPOINT_UP;
        const auto status = static_cast<Status>(octavo_instance_state(instance_, &state));
        if (status != Status::ok) return status;
        return static_cast<EndpointState>(state);
    }

    octavo_instance handle() const noexcept { return instance_; }
    explicit operator bool() const noexcept { return instance_.id != 0; }
    /// Gives the handle to the caller, who destroys it.
    octavo_instance release() noexcept { return std::exchange(instance_, octavo_instance{}); }
    /// Destroys the instance held, if any, and takes `instance` instead.
    void reset(octavo_instance instance = {}) noexcept {
        const auto old = std::exchange(instance_, instance);
        if (old.id != 0) octavo_instance_destroy(old);
    }

private:
    static octavo_submission make_submission(const Key& key, Operation operation, std::span<const std::uint8_t> input,
                                             Wakeup wakeup) noexcept {
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = key.handle();
        submission.operation = static_cast<std::uint32_t>(operation);
        submission.input = input.data();
        submission.input_len = input.size();
        submission.wakeup = wakeup.raw();
        return submission;
    }

    octavo_instance instance_{};
};

// ---- polling ----

enum class PollingMode : std::uint32_t {
    standard = OCTAVO_POLLING_DEFAULT,
    timer = OCTAVO_POLLING_TIMER,
    event = OCTAVO_POLLING_EVENT,
    external = OCTAVO_POLLING_EXTERNAL,
    heuristic = OCTAVO_POLLING_HEURISTIC,
    in_line = OCTAVO_POLLING_INLINE
};

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
inline Status reset_polling() noexcept { return static_cast<Status>(octavo_polling_reset()); }

/// octavo_polling_poll(): how many have been handed over.
inline Result<std::size_t> poll_instances(std::size_t index = OCTAVO_POLLING_ALL) noexcept {
    std::size_t num_completed = 0;
    const auto status = static_cast<Status>(octavo_polling_poll(index, &num_completed));
    if (status != Status::ok) return status;
    return num_completed;
}
/// octavo_polling_fd(): borrowed.
inline Result<int> polling_fd(std::size_t index = 0) noexcept {
    int fd = -1;
    const auto status = static_cast<Status>(octavo_polling_fd(index, &fd));
    if (status != Status::ok) return status;
    return fd;
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
        Subscription subscription;
        const auto status = static_cast<Status>(octavo_event_subscribe(callback, argument, &subscription.number_));
        if (status != Status::ok) return status;
        return subscription;
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

// ---- bodies ----

namespace detail {
/// An empty span may point somewhere; an absent number must not.
constexpr octavo_number number(Number bytes) noexcept { return {bytes.empty() ? nullptr : bytes.data(), bytes.size()}; }
}  // namespace detail

inline Result<Key> Key::create_rsa(const RsaNumbers& numbers) noexcept {
    // One more than a key may have, so that it is the library that refuses a longer list and words the error.
    std::array<octavo_rsa_prime, 4> extra{};
    const std::size_t num_extra = std::min(numbers.extra_primes.size(), extra.size());
    for (std::size_t i = 0; i < num_extra; ++i) {
        const auto& prime = numbers.extra_primes[i];
        extra[i] = {detail::number(prime.prime), detail::number(prime.exponent), detail::number(prime.coefficient)};
    }
    octavo_rsa_key raw{};
    raw.size = sizeof raw;
    raw.n = detail::number(numbers.n);
    raw.e = detail::number(numbers.e);
    raw.d = detail::number(numbers.d);
    raw.p = detail::number(numbers.p);
    raw.q = detail::number(numbers.q);
    raw.dp = detail::number(numbers.dp);
    raw.dq = detail::number(numbers.dq);
    raw.qinv = detail::number(numbers.qinv);
    raw.extra_primes = num_extra == 0 ? nullptr : extra.data();
    raw.num_extra_primes = num_extra;
    Key key;
    const auto status = static_cast<Status>(octavo_key_create_rsa(&raw, &key.key_));
    if (status != Status::ok) return status;
    return key;
}

inline Result<Instance> Instance::create(const InstanceOptions& options) noexcept {
    octavo_instance_config config{};
    config.size = sizeof config;
    config.name = options.name;
    config.driver = static_cast<std::uint32_t>(options.driver);
    config.ring_size = options.ring_size;
    config.never_in_place = options.never_in_place ? 1 : 0;
    Instance instance;
    const auto status = static_cast<Status>(octavo_instance_create(&config, &instance.instance_));
    if (status != Status::ok) return status;
    return instance;
}

}  // namespace v0
}  // namespace octavo

#include <octavo/job.hpp>

#endif
