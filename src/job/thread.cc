#include "job/thread.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "base/error.hpp"
#include "base/fork.hpp"
#include "base/overflow.hpp"
#include "job/switch.hpp"
#include "job/wait.hpp"

namespace octavo::job {
namespace {

/// Stacks that stayed idle for so many finishes in a row are handed back, at most twice as many at a time: a burst's stacks go
/// while it ebbs, in steps of some 0.1 ms.
constexpr unsigned kWindow = 64;

std::atomic<std::size_t> stack_size{0};  // 0: not known yet

std::size_t whole_pages(std::size_t size) noexcept {
    const auto page = Stack::page_size();
    return (size + page - 1) / page * page;
}

bool in_range(std::size_t size) noexcept { return size >= OCTAVO_JOB_STACK_MIN && size <= OCTAVO_JOB_STACK_MAX; }

std::size_t first_stack_size() noexcept {
    const char* text = secure_getenv("OCTAVO_JOB_STACK");
    const auto asked = text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
    const auto size = whole_pages(in_range(asked) ? asked : OCTAVO_JOB_STACK_DEFAULT);
    std::size_t unknown = 0;
    return stack_size.compare_exchange_strong(unknown, size, std::memory_order_relaxed) ? size : unknown;
}

std::size_t current_stack_size() noexcept {
    const auto size = stack_size.load(std::memory_order_relaxed);
    return size != 0 ? size : first_stack_size();
}

/// Threads come and go; what other threads may still reach of one is used again, never freed.
struct Spares {
    fork::Mutex mutex{fork::Rank::table};
    Thread* first = nullptr;

    static Spares* const all;
    static Spares& get() noexcept { return *all; }
};
Spares* const Spares::all = new Spares;  // see base/fork.hpp

constinit thread_local Thread* this_thread = nullptr;
constinit thread_local bool is_over = false;

}  // namespace

/// Its destructor is the end of a thread.
struct Holder {
    Thread* thread = nullptr;
    ~Holder();

    static Thread* fill() noexcept;
    Thread* take() noexcept;
};

namespace {
thread_local Holder holder;
}  // namespace

Thread* Holder::take() noexcept {
    auto& spares = Spares::get();
    {
        const std::lock_guard lock{spares.mutex};
        if (spares.first != nullptr) thread = std::exchange(spares.first, spares.first->next_spare_);
    }
    if (thread == nullptr) thread = new (std::nothrow) Thread;
    return thread;
}

Thread* Holder::fill() noexcept {
    if (is_over) return nullptr;
    auto* thread = holder.take();
    if (thread != nullptr) thread->begin();
    return this_thread = thread;
}

Holder::~Holder() {
    is_over = true;
    this_thread = nullptr;
    if (thread == nullptr) return;
    thread->end();
    auto& spares = Spares::get();
    const std::lock_guard lock{spares.mutex};
    thread->next_spare_ = std::exchange(spares.first, thread);
}

Thread* Thread::if_any() noexcept { return this_thread; }

Thread* Thread::here() noexcept {
    auto* thread = this_thread;
    return thread != nullptr ? thread : Holder::fill();
}

void Thread::begin() noexcept {
    errno_ = &errno;
    waits_ = &waits();
    exceptions_ = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
    static constexpr overflow::Kind kKind = {
        "a job has overflowed its stack",
        "octavo_job_set_stack_size(), or OCTAVO_JOB_STACK in the environment, sets another size", overflowed};
    overflow::watch_thread(kKind);
}

/// What is paused will never go on. A job that runs, because it called exit(), is left alone: this runs on its stack.
void Thread::end() noexcept {
    collect_orphans();
    for (auto* job : jobs_) {
        if (job->state == OCTAVO_JOB_STATE_PAUSED) {
            take_away(*job);
            release(*job);
        }
        if (job->state != OCTAVO_JOB_STATE_NONE) continue;
        job->fiber.forget(job->stack.bottom(), job->stack.size());
        job->stack = {};
        job->inner = {};
        table::give_back(*job);
    }
    jobs_ = {};
    idle_ = {};
    current_ = nullptr;
    max_jobs_ = floor_ = num_trimmed_ = low_water_ = 0;
}

bool Thread::set_stack_size(std::size_t size) noexcept {
    if (!in_range(size)) return false;
    stack_size.store(whole_pages(size), std::memory_order_relaxed);
    return true;
}

std::size_t Thread::overflowed(const void* address) noexcept {
    const auto* thread = this_thread;
    const auto* job = thread == nullptr ? nullptr : thread->current_;
    return job != nullptr && job->stack.guards(address) ? job->stack.size() : 0;
}

// ---- the pool ----

bool Thread::reserve(std::size_t max_jobs, std::size_t init_jobs) {
    max_jobs_ = max_jobs;
    floor_ = init_jobs;
    while (idle_.size() < init_jobs) {
        auto* job = make();
        if (job == nullptr) return false;
        idle_.insert(idle_.begin(), job);  // below those that have been used, and are warm
        num_trimmed_ = 0;
    }
    low_water_ = idle_.size();
    return true;
}

Job* Thread::make() noexcept try {
    jobs_.reserve(jobs_.size() + 1);
    idle_.reserve(jobs_.capacity());
    auto* job = table::take();
    if (job == nullptr) return nullptr;
    if (!equip(*job)) {
        table::give_back(*job);
        return nullptr;
    }
    job->owner.store(this, std::memory_order_relaxed);
    job->position = jobs_.size();
    jobs_.push_back(job);
    return job;
} catch (const std::bad_alloc&) {
    return nullptr;
}

/// Gives the job a stack of the size that is wanted today.
bool Thread::equip(Job& job) noexcept {
    job.stack = {};
    job.stack = Stack::map(current_stack_size());
    job.inner = {};
    return static_cast<bool>(job.stack);
}

void Thread::destroy(Job& job) noexcept {
    jobs_[job.position] = jobs_.back();
    jobs_[job.position]->position = job.position;
    jobs_.pop_back();
    job.fiber.forget(job.stack.bottom(), job.stack.size());
    job.stack = {};
    table::give_back(job);
}

/// Those beyond a limit that was lowered while they ran.
void Thread::destroy_excess() noexcept {
    while (!idle_.empty() && jobs_.size() > max_jobs_) {
        destroy(*idle_.front());
        idle_.erase(idle_.begin());
    }
    num_trimmed_ = 0;
    low_water_ = std::min(low_water_, idle_.size());
}

Job* Thread::take_idle() noexcept {
    if (max_jobs_ != 0 && jobs_.size() > max_jobs_) destroy_excess();
    while (!idle_.empty()) {
        auto* job = idle_.back();
        idle_.pop_back();
        low_water_ = std::min(low_water_, idle_.size());
        num_trimmed_ = std::min(num_trimmed_, idle_.size());
        if (job->stack.size() == current_stack_size() || equip(*job)) return job;
        destroy(*job);
    }
    return nullptr;
}

void Thread::release(Job& job) noexcept {
    if (job.wait_object != nullptr) std::exchange(job.wait_object, nullptr)->job.store(0, std::memory_order_relaxed);
    job.end_life();
    job.state = OCTAVO_JOB_STATE_NONE;
    job.arguments.clear();
    idle_.push_back(&job);
    if (++num_ticks_ >= kWindow) tick();
}

void Thread::tick() noexcept {
    num_ticks_ = 0;
    const auto spare = idle_.size() > floor_ ? idle_.size() - floor_ : 0;
    trim_below(std::min({low_water_, spare, num_trimmed_ + std::size_t{2} * kWindow}));
    low_water_ = idle_.size();
}

void Thread::trim_below(std::size_t end) noexcept {
    for (; num_trimmed_ < end; ++num_trimmed_) {
        auto& job = *idle_[num_trimmed_];
        job.fiber.forget(job.stack.bottom(), job.stack.size());
        job.inner = {};
        job.stack.give_back();
    }
}

void Thread::trim() noexcept {
    collect_orphans();
    trim_below(idle_.size());
}

void Thread::clean_up() noexcept {
    collect_orphans();
    for (auto* job : idle_) destroy(*job);
    idle_.clear();  // and keeps its room, for those that are paused
    max_jobs_ = floor_ = num_trimmed_ = low_water_ = 0;
    num_ticks_ = 0;
}

// ---- switches ----

// Each side of a switch puts the other's affairs in order before it leaves: see switch_to().

void Thread::run(void* argument) noexcept {
    auto& job = *static_cast<Job*>(argument);
    job.fiber.begin();
    for (;;) {
        job.value = job.function(job.argument);
        this_thread->finish(job);
        job.fiber.before_leave();
        switch_to(job.inner, job.outer, OCTAVO_JOB_FINISH);
        job.fiber.after_leave();
    }
}

/// Still on the job's stack, which nobody uses again before it has been left.
void Thread::finish(Job& job) noexcept {
    job.state = OCTAVO_JOB_STATE_STOPPING;
    if (job.entered_result != nullptr) *job.entered_result = job.value;
    *job.entered_handle = {0};
    step_out(job);
    release(job);
}

inline void Thread::step_out(Job& job) noexcept {
    if (exceptions_->any() || job.outside.any()) job.exceptions = std::exchange(*exceptions_, job.outside);
    current_ = job.below;
}

inline int Thread::enter(Job& job, octavo_job* handle, int* result, int value) noexcept {
    job.entered_handle = handle;
    job.entered_result = result;
    job.below = std::exchange(current_, &job);
    job.outside = *exceptions_;
    if (job.outside.any() || job.exceptions.any()) *exceptions_ = std::exchange(job.exceptions, {});
    job.fiber.before_enter(job.stack.bottom(), job.stack.size());
    const int answer = switch_to(job.outer, job.inner, value);
    job.fiber.after_enter();
    return answer;
}

octavo_status Thread::pause(octavo_job_cancel_hook* hook, void* argument) noexcept {
    auto* thread = this_thread;
    auto* job = thread == nullptr ? nullptr : thread->current_;
    if (job == nullptr || job->blocked != 0) return OCTAVO_RETRY;
    if (job->state == OCTAVO_JOB_STATE_CANCELLED && ++job->late_pauses < OCTAVO_JOB_CANCELLED_PAUSES)
        return OCTAVO_CANCELLED;
    if (job->wait_object != nullptr && !job->wait_object->show_event()) return OCTAVO_RETRY;
    job->kept_errno = *thread->errno_;
    job->state = OCTAVO_JOB_STATE_PAUSING;
    job->hook = hook;
    job->hook_argument = argument;
    if (job->hooks != nullptr) job->hooks_kept = job->hooks->leave(job->hooks->argument);
    job->state = OCTAVO_JOB_STATE_PAUSED;
    *job->entered_handle = job->handle();
    thread->step_out(*job);
    job->fiber.before_leave();
    const int status = switch_to(job->inner, job->outer, OCTAVO_JOB_PAUSE);
    job->fiber.after_leave();
    return static_cast<octavo_status>(status);
}

/// What a job finds when its pause returns.
inline void Thread::step_in(Job& job) noexcept {
    if (job.hooks != nullptr) job.hooks->enter(job.hooks->argument, job.hooks_kept);
    if (job.wait_object != nullptr) job.wait_object->reset_changed();
    *errno_ = job.kept_errno;
}

/// A context that serves a job already, against its rules, is the new one's from now on.
void Thread::lend(Wait& wait, Job& job) noexcept {
    const auto before = wait.job.load(std::memory_order_relaxed);
    if (auto* other = before == 0 ? nullptr : table::find(before)) other->wait_object = nullptr;
    wait.job.store(job.handle().id, std::memory_order_relaxed);
    job.wait_object = &wait;
}

Job* Thread::take_fresh(octavo_job_result& refused) noexcept {
    if (max_jobs_ != 0 && jobs_.size() >= max_jobs_) {
        refused = OCTAVO_JOB_NO_JOBS;
        return nullptr;
    }
    auto* job = make();
    if (job != nullptr) return job;
    (void)fail(OCTAVO_ERR_NO_MEMORY, "no memory for another job: %s", std::strerror(errno));
    if (!jobs_.empty()) refused = OCTAVO_JOB_NO_JOBS;
    return nullptr;
}

inline Job* Thread::to_start(const Call& call, octavo_job_result& refused) noexcept {
    auto* wait = call.wait.id == 0 ? nullptr : waits_->look_up(call.wait.id);
    if (wait == nullptr && call.wait.id != 0) {
        (void)fail(OCTAVO_ERR_BAD_HANDLE, "wait: the context was freed or never was");
        return nullptr;
    }
    auto* job = take_idle();
    if (job == nullptr) job = take_fresh(refused);
    if (job == nullptr) return nullptr;
    job->argument = nullptr;
    if (call.argument != nullptr) {
        job->argument = job->arguments.copy(call.argument, call.argument_len);
        if (job->argument == nullptr) {
            release(*job);
            (void)fail(OCTAVO_ERR_NO_MEMORY, "argument_len: no memory for %zu bytes", call.argument_len);
            return nullptr;
        }
    }
    if (job->inner.place == nullptr) prepare(job->inner, job->stack.top(), job->stack.size(), run, job);
    job->begin_life();
    job->state = OCTAVO_JOB_STATE_RUNNING;
    job->blocked = job->late_pauses = 0;
    job->function = call.function;
    job->wait = call.wait;
    job->hooks = nullptr;
    job->exceptions = {};
    if (wait != nullptr) lend(*wait, *job);
    return job;
}

inline Job* Thread::to_resume(octavo_job handle) noexcept {
    auto* job = table::find(handle.id);
    if (job == nullptr || !may_go_on(*job)) {
        (void)why_not(job);
        return nullptr;
    }
    job->state = OCTAVO_JOB_STATE_RUNNING;
    step_in(*job);
    return job;
}

octavo_job_result Thread::start(octavo_job* handle, octavo_wait_context wait, int* result, int (*function)(void*),
                                const void* argument, std::size_t argument_len) noexcept {
    auto* thread = this_thread;
    if (thread == nullptr && (thread = here()) == nullptr) {
        (void)fail(OCTAVO_ERR_NO_MEMORY, "no jobs for this thread: memory ran out, or the thread is ending");
        return OCTAVO_JOB_ERROR;
    }
    thread->collect_orphans();
    auto refused = OCTAVO_JOB_ERROR;
    auto* job = handle->id != 0 ? thread->to_resume(*handle)
                                : thread->to_start({wait, function, argument, argument_len}, refused);
    if (job == nullptr) return refused;
    return static_cast<octavo_job_result>(thread->enter(*job, handle, result, OCTAVO_OK));
}

// ---- ends before their time ----

octavo_status Thread::why_not(const Job* job) const noexcept {
    if (job == nullptr) return fail(OCTAVO_ERR_BAD_HANDLE, "job: the job has ended or never was");
    if (job->owner.load(std::memory_order_relaxed) != this)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "job: it belongs to another thread");
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "job: it is not paused");
}

octavo_status Thread::cancel(octavo_job handle) noexcept {
    collect_orphans();
    auto* job = table::find(handle.id);
    if (job == nullptr || !may_go_on(*job)) return why_not(job);
    job->state = OCTAVO_JOB_STATE_CANCELLED;
    if (auto* hook = std::exchange(job->hook, nullptr)) hook(job->hook_argument, 0);
    step_in(*job);
    if (enter(*job, &handle, nullptr, OCTAVO_CANCELLED) == OCTAVO_JOB_FINISH) return OCTAVO_OK;
    take_away(*job);
    release(*job);
    return fail(OCTAVO_ERR_OPERATION_FAILED,
                "job: it pauses over and over although it is cancelled, and was discarded");
}

octavo_status Thread::discard(octavo_job handle) noexcept {
    collect_orphans();
    auto* job = table::find(handle.id);
    if (job == nullptr || !may_go_on(*job)) return why_not(job);
    take_away(*job);
    release(*job);
    return OCTAVO_OK;
}

/// Of a paused job, everything but its place.
void Thread::take_away(Job& job) noexcept {
    job.state = OCTAVO_JOB_STATE_STOPPING;
    if (auto* hook = std::exchange(job.hook, nullptr)) hook(job.hook_argument, 1);
    if (job.hooks != nullptr && job.hooks->drop != nullptr) job.hooks->drop(job.hooks->argument, job.hooks_kept);
    job.fiber.forget(job.stack.bottom(), job.stack.size());
    job.inner = {};
}

void Thread::orphan(std::uint64_t id) noexcept {
    auto* orphan = new (std::nothrow) Orphan{id, orphans_.load(std::memory_order_relaxed)};
    if (orphan == nullptr) return;  // it is discarded when its thread ends
    // release: whoever takes the list sees the entry whole
    while (
        !orphans_.compare_exchange_weak(orphan->next, orphan, std::memory_order_release, std::memory_order_relaxed)) {
    }
}

void Thread::collect_orphans() noexcept {
    if (orphans_.load(std::memory_order_relaxed) == nullptr) return;
    auto* orphan = orphans_.exchange(nullptr, std::memory_order_acquire);
    while (orphan != nullptr) {
        auto* job = table::find(orphan->id);  // it may have ended meanwhile
        if (job != nullptr && may_go_on(*job)) {
            job->wait_object = nullptr;  // freed already
            take_away(*job);
            release(*job);
        }
        delete std::exchange(orphan, orphan->next);
    }
}

}  // namespace octavo::job
