/// Jobs and coroutines for C++20: owners over job.h, and tasks that await requests. Included by octavo.hpp. What job.h says of threads,
/// fork and lifetimes holds here as well. Throws nothing but what a task's own body threw.
#ifndef OCTAVO_JOB_HPP
#define OCTAVO_JOB_HPP

#include <octavo/job.h>

#include <algorithm>
#include <coroutine>
#include <cstdlib>
#include <exception>
#include <octavo/octavo.hpp>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace octavo {
inline namespace v0 {

// ---- wait contexts ----

/// Owns an octavo_wait_context. Its destructor discards the job that is paused with it.
class Wait {
public:
    /// Empty where memory or places ran out.
    static Wait create() noexcept { return Wait{octavo_wait_new()}; }
    Wait() = default;
    explicit Wait(octavo_wait_context wait) noexcept : wait_(wait) {}
    Wait(Wait&& other) noexcept : wait_(other.release()) {}
    Wait& operator=(Wait&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    ~Wait() { reset(); }

    /// For a submission: see octavo_wait_get_wakeup().
    Result<octavo_wakeup> wakeup() noexcept {
        octavo_wakeup wakeup{};
        const auto status = static_cast<Status>(octavo_wait_get_wakeup(wait_, &wakeup));
        if (status != Status::ok) return status;
        return wakeup;
    }
    Status notify() noexcept { return static_cast<Status>(octavo_wait_notify(wait_)); }
    Status drain() noexcept { return static_cast<Status>(octavo_wait_drain(wait_)); }

    octavo_wait_context handle() const noexcept { return wait_; }
    explicit operator bool() const noexcept { return wait_.id != 0; }
    octavo_wait_context release() noexcept { return std::exchange(wait_, octavo_wait_context{}); }
    void reset(octavo_wait_context wait = {}) noexcept {
        const auto old = std::exchange(wait_, wait);
        if (old.id != 0) octavo_wait_free(old);
    }

private:
    octavo_wait_context wait_{};
};

// ---- jobs ----

enum class JobResult : int {
    error = OCTAVO_JOB_ERROR,
    no_jobs = OCTAVO_JOB_NO_JOBS,
    pause = OCTAVO_JOB_PAUSE,
    finish = OCTAVO_JOB_FINISH
};

/// A function object `int()` and the job that runs it. Stays where it was made. Its destructor cancels: the function sees
/// Status::cancelled from its pause, and is expected to return. Belongs to one thread. An exception that leaves the function ends
/// the program.
template <typename F>
class Job {
public:
    static_assert(std::is_invocable_r_v<int, F&>);
    explicit Job(F function, const Wait* wait = nullptr)
        : function_(std::move(function)), wait_(wait == nullptr ? octavo_wait_context{} : wait->handle()) {}
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() {
        if (is_paused()) octavo_job_cancel(job_);
    }

    /// Starts the function, or goes on with it.
    JobResult run() noexcept {
        const F* self = &function_;
        return static_cast<JobResult>(octavo_job_start(&job_, wait_, &value_, call, &self, sizeof self));
    }
    bool is_paused() const noexcept { return job_.id != 0; }
    /// What the function returned, after JobResult::finish.
    int value() const noexcept { return value_; }
    Status cancel() noexcept { return static_cast<Status>(octavo_job_cancel(std::exchange(job_, octavo_job{}))); }
    octavo_job handle() const noexcept { return job_; }

private:
    static int call(void* self) noexcept { return (**static_cast<F**>(self))(); }

    F function_;
    octavo_wait_context wait_;
    octavo_job job_{};
    int value_ = 0;
};

/// What the calling thread keeps for its jobs: octavo_job_init_thread(), octavo_job_cleanup_thread(), octavo_job_trim_thread().
namespace thread_jobs {

inline Status init(std::size_t max_jobs, std::size_t init_jobs) noexcept {
    return static_cast<Status>(octavo_job_init_thread(max_jobs, init_jobs));
}
inline void cleanup() noexcept { octavo_job_cleanup_thread(); }
inline void trim() noexcept { octavo_job_trim_thread(); }

}  // namespace thread_jobs

/// octavo_job_set_stack_size(): of jobs made from now on, in all threads.
inline Status set_job_stack_size(std::size_t size) noexcept {
    return static_cast<Status>(octavo_job_set_stack_size(size));
}

/// The job that the caller runs in.
namespace this_job {

inline bool exists() noexcept { return octavo_job_current().id != 0; }
/// ok, cancelled, or retry where it cannot pause: see octavo_job_pause().
inline Status pause() noexcept { return static_cast<Status>(octavo_job_pause(nullptr, nullptr)); }
/// The same; `hook(bool discarded)` runs if the job is cancelled or discarded during this pause.
template <typename Hook>
requires std::is_nothrow_invocable_v<Hook&, bool> Status pause(Hook& hook)
noexcept {
    const auto call = [](void* self, int discarded) { (*static_cast<Hook*>(self))(discarded != 0); };
    return static_cast<Status>(octavo_job_pause(call, &hook));
}

/// While one lives, the job cannot pause.
class BlockPause {
public:
    BlockPause() noexcept { octavo_job_block_pause(); }
    BlockPause(const BlockPause&) = delete;
    BlockPause& operator=(const BlockPause&) = delete;
    ~BlockPause() { octavo_job_unblock_pause(); }
};

}  // namespace this_job

// ---- coroutines ----

/// One request, awaited: see submit() below. Lives in the awaiting coroutine, whose end cancels the request.
class Submission {
public:
    Submission(Instance& instance, const Key& key, Operation operation, std::span<const std::uint8_t> input,
               std::span<std::uint8_t> output, Wakeup wakeup) noexcept
        : instance_(instance),
          key_(key),
          operation_(operation),
          input_(input),
          output_(output),
          wakeup_(wakeup),
          completion_(Done{this}) {}

    bool await_ready() const noexcept { return false; }
    /// False, and no suspension, where nothing was taken.
    bool await_suspend(std::coroutine_handle<> waiter) noexcept {
        waiter_ = waiter;
        const auto status = instance_.submit(key_, operation_, input_, completion_, wakeup_);
        if (status == Status::pending || status == Status::ok) return true;
        status_ = status;
        return false;
    }
    /// The number of bytes in `output`, or why there are none.
    Result<std::size_t> await_resume() const noexcept {
        if (status_ != Status::ok) return status_;
        return output_len_;
    }

private:
    struct Done {
        Submission* self;
        void operator()(Status status, std::span<const std::uint8_t> output) const { self->done(status, output); }
    };

    void done(Status status, std::span<const std::uint8_t> result) {
        status_ = status;
        if (status == Status::ok && result.size() > output_.size()) status_ = Status::bad_length;
        if (status_ == Status::ok) {
            std::copy(result.begin(), result.end(), output_.begin());
            output_len_ = result.size();
        }
        waiter_.resume();  // the last: this object may be gone after it
    }

    Instance& instance_;
    const Key& key_;
    Operation operation_;
    std::span<const std::uint8_t> input_;
    std::span<std::uint8_t> output_;
    Wakeup wakeup_;
    Status status_ = Status::ok;
    std::size_t output_len_ = 0;
    std::coroutine_handle<> waiter_;
    Completion<Done> completion_;
};

/// In a coroutine: `Result<std::size_t> done = co_await octavo::submit(instance, key, operation, input, output);`
/// Instance::poll() resumes the coroutine, on its thread; the coroutine must not poll, wait on or destroy the instance before it suspends
/// again. `output` may be `input` and must live until then. Status::retry, at once, where the ring is full: poll, and submit again.
inline Submission submit(Instance& instance, const Key& key, Operation operation, std::span<const std::uint8_t> input,
                         std::span<std::uint8_t> output, Wakeup wakeup = {}) noexcept {
    return {instance, key, operation, input, output, wakeup};
}

template <typename T>
class Task;

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> waiter;
    std::exception_ptr exception;

    struct Final {
        bool await_ready() const noexcept { return false; }
        template <typename Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            const auto next = self.promise().waiter;
            return next ? next : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { exception = std::current_exception(); }
    void rethrow() const {
        if (exception) std::rethrow_exception(exception);
    }
};

template <typename T>
struct Promise : PromiseBase {
    std::optional<T> value;
    Task<T> get_return_object() noexcept;
    template <typename U>
    void return_value(U&& given) {
        value.emplace(std::forward<U>(given));
    }
    T take() {
        rethrow();
        return std::move(*value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const { rethrow(); }
};

}  // namespace detail

/// A coroutine that awaits requests and other tasks. Nothing of it runs before start(), or before another task awaits it. Its
/// destructor ends it where it is: what it awaits is cancelled, its variables are destroyed. All on one thread.
template <typename T = void>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<T>;

    Task() = default;
    explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Task() {
        if (handle_) handle_.destroy();
    }

    /// Runs it until it first waits. Once, and not for a task that another awaits.
    void start() { handle_.resume(); }
    bool done() const noexcept { return handle_ && handle_.done(); }
    /// What it returned, once, when it is done; throws what it threw.
    T result() { return handle_.promise().take(); }

    bool await_ready() const noexcept { return done(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) const noexcept {
        handle_.promise().waiter = waiter;
        return handle_;
    }
    T await_resume() { return result(); }

private:
    std::coroutine_handle<promise_type> handle_;
};

template <typename T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
    return Task<T>{std::coroutine_handle<Promise>::from_promise(*this)};
}
inline Task<void> detail::Promise<void>::get_return_object() noexcept {
    return Task<void>{std::coroutine_handle<Promise>::from_promise(*this)};
}

}  // namespace v0
}  // namespace octavo

#endif
