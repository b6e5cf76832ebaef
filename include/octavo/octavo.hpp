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
    bad_signature = OCTAVO_ERR_BAD_SIGNATURE,
    bad_point = OCTAVO_ERR_BAD_POINT,
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
    key_curve = OCTAVO_ERR_KEY_CURVE,
    key_private = OCTAVO_ERR_KEY_PRIVATE,
    key_public = OCTAVO_ERR_KEY_PUBLIC,
    key_modulus = OCTAVO_ERR_KEY_MODULUS,
    key_exponent_len = OCTAVO_ERR_KEY_EXPONENT_LEN,
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

namespace detail {
/// What a C function gives through its last argument.
template <typename T, typename Function, typename... Arguments>
Result<T> ask(Function* function, Arguments... arguments) noexcept {
    T value{};
    const auto status = static_cast<Status>(function(arguments..., &value));
    if (status != Status::ok) return status;
    return value;
}
/// The same where C has a number for it.
template <typename T, typename Function, typename... Arguments>
Result<T> ask_as(Function* function, Arguments... arguments) noexcept {
    const auto raw = ask<std::uint32_t>(function, arguments...);
    if (!raw) return raw.status();
    return static_cast<T>(*raw);
}
/// The same where it is to be destroyed: in its owner.
template <typename Owner, typename Handle, typename Function, typename... Arguments>
Result<Owner> own(Function* create, Arguments... arguments) noexcept {
    const auto handle = ask<Handle>(create, arguments...);
    if (!handle) return handle.status();
    Owner owner;
    owner.reset(*handle);
    return owner;
}
}  // namespace detail

enum class Operation : std::uint32_t {
    rsa_private = OCTAVO_RSA_PRIVATE,
    rsa_public = OCTAVO_RSA_PUBLIC,
    ecdsa_sign = OCTAVO_ECDSA_SIGN,
    ecdsa_verify = OCTAVO_ECDSA_VERIFY,
    ecdh_derive = OCTAVO_ECDH_DERIVE,
    ec_generate = OCTAVO_EC_GENERATE,
    eddsa_sign = OCTAVO_EDDSA_SIGN,
    eddsa_verify = OCTAVO_EDDSA_VERIFY,
    mod_exp = OCTAVO_MOD_EXP
};
enum class Driver : std::uint32_t {
    automatic = OCTAVO_DRIVER_AUTO,
    in_line = OCTAVO_DRIVER_INLINE,
    threads = OCTAVO_DRIVER_THREADS
};
enum class PollingMode : std::uint32_t {
    standard = OCTAVO_POLLING_DEFAULT,
    timer = OCTAVO_POLLING_TIMER,
    event = OCTAVO_POLLING_EVENT,
    external = OCTAVO_POLLING_EXTERNAL,
    heuristic = OCTAVO_POLLING_HEURISTIC,
    in_line = OCTAVO_POLLING_INLINE
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

enum class Curve : std::uint32_t {
    p256 = OCTAVO_CURVE_P256,
    p384 = OCTAVO_CURVE_P384,
    p521 = OCTAVO_CURVE_P521,
    p224 = OCTAVO_CURVE_P224,
    secp256k1 = OCTAVO_CURVE_SECP256K1,
    brainpool_p256 = OCTAVO_CURVE_BRAINPOOL_P256,
    brainpool_p384 = OCTAVO_CURVE_BRAINPOOL_P384,
    brainpool_p512 = OCTAVO_CURVE_BRAINPOOL_P512,
    x25519 = OCTAVO_CURVE_X25519,
    x448 = OCTAVO_CURVE_X448,
    ed25519 = OCTAVO_CURVE_ED25519,
    ed448 = OCTAVO_CURVE_ED448
};

/// The fields of octavo_ec_key. With neither key it names a curve.
struct EcNumbers {
    Curve curve;
    Number private_key = {}, public_key = {};
};

/// The fields of octavo_modulus.
struct Modulus {
    Number modulus;
    std::size_t exponent_len;
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

    /// octavo_key_create_ec() and octavo_key_create_modulus(), likewise.
    static Result<Key> create_ec(const EcNumbers& numbers) noexcept;
    static Result<Key> create_modulus(const Modulus& numbers) noexcept;

    /// Of RSA: the modulus length in bytes, which is the length of inputs and outputs.
    Result<std::size_t> length() const noexcept { return detail::ask<std::size_t>(octavo_key_length, key_); }
    /// The bytes of an operation's result.
    Result<std::size_t> output_length(Operation operation) const noexcept {
        return detail::ask<std::size_t>(octavo_key_output_length, key_, static_cast<std::uint32_t>(operation));
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

/// What octavo_instance_progress() stores.
struct Progress {
    std::uint64_t num_queued;
    std::size_t num_waiting;
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
        return detail::ask<std::size_t>(octavo_poll, instance_, quota);
    }

    /// Reaps what is done; with the inline driver, where nothing is, one batch: how many.
    Result<std::size_t> poll_batch() noexcept { return detail::ask<std::size_t>(octavo_poll_batch, instance_); }

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
    Result<int> fd() noexcept { return detail::ask<int>(octavo_instance_fd, instance_); }

    Result<Statistics> statistics() const noexcept {
        Statistics statistics{};
        statistics.size = sizeof statistics;
        const auto status = static_cast<Status>(octavo_instance_statistics(instance_, &statistics));
        if (status != Status::ok) return status;
        return statistics;
    }

    /// octavo_instance_state(): that of its endpoint.
    Result<EndpointState> endpoint_state() const noexcept {
        return detail::ask_as<EndpointState>(octavo_instance_state, instance_);
    }
    /// octavo_instance_driver(): as it stands now.
    Result<Driver> driver() const noexcept { return detail::ask_as<Driver>(octavo_instance_driver, instance_); }
    /// octavo_instance_polling().
    Result<PollingMode> polling_mode() const noexcept {
        return detail::ask_as<PollingMode>(octavo_instance_polling, instance_);
    }
    /// octavo_instance_waiter_computes(), for what pauses jobs.
    Result<bool> waiter_computes(const Key& key, Operation operation) const noexcept {
        return detail::ask_as<bool>(octavo_instance_waiter_computes, instance_, key.handle(),
                                    static_cast<std::uint32_t>(operation));
    }
    /// octavo_consult(): ok, portable or an error.
    Status consult(const Key& key, Operation operation, bool will_wait) const noexcept {
        return static_cast<Status>(
            octavo_consult(instance_, key.handle(), static_cast<std::uint32_t>(operation), will_wait ? 1 : 0));
    }
    /// octavo_instance_progress().
    Result<Progress> progress() const noexcept {
        Progress progress{};
        const auto status =
            static_cast<Status>(octavo_instance_progress(instance_, &progress.num_queued, &progress.num_waiting));
        if (status != Status::ok) return status;
        return progress;
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
    return detail::own<Key, octavo_key>(octavo_key_create_rsa, &raw);
}

inline Result<Key> Key::create_ec(const EcNumbers& numbers) noexcept {
    octavo_ec_key raw{};
    raw.size = sizeof raw;
    raw.curve = static_cast<std::uint32_t>(numbers.curve);
    raw.private_key = detail::number(numbers.private_key);
    raw.public_key = detail::number(numbers.public_key);
    return detail::own<Key, octavo_key>(octavo_key_create_ec, &raw);
}

inline Result<Key> Key::create_modulus(const Modulus& numbers) noexcept {
    octavo_modulus raw{};
    raw.size = sizeof raw;
    raw.modulus = detail::number(numbers.modulus);
    raw.exponent_len = numbers.exponent_len;
    return detail::own<Key, octavo_key>(octavo_key_create_modulus, &raw);
}

namespace detail {
inline octavo_instance_config config_of(const InstanceOptions& options) noexcept {
    octavo_instance_config config{};
    config.size = sizeof config;
    config.name = options.name;
    config.driver = static_cast<std::uint32_t>(options.driver);
    config.ring_size = options.ring_size;
    config.never_in_place = options.never_in_place ? 1 : 0;
    return config;
}
}  // namespace detail

inline Result<Instance> Instance::create(const InstanceOptions& options) noexcept {
    const auto config = detail::config_of(options);
    return detail::own<Instance, octavo_instance>(octavo_instance_create, &config);
}

}  // namespace v0
}  // namespace octavo

#include <octavo/job.hpp>
#include <octavo/process.hpp>

#endif
