#include <octavo/job.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "base/error.hpp"
#include "capi/guard.hpp"
#include "job/thread.hpp"
#include "job/wait.hpp"

namespace {

using octavo::fail;
using octavo::capi::guarded;
using octavo::capi::null_argument;
using octavo::job::Job;
using octavo::job::Thread;
using octavo::job::Wait;
using octavo::job::waits;

octavo_status no_thread() noexcept {
    return fail(OCTAVO_ERR_NO_MEMORY, "no jobs for this thread: memory ran out, or the thread is ending");
}

octavo_job_result error(octavo_status) noexcept { return OCTAVO_JOB_ERROR; }

Job* current() noexcept {
    auto* thread = Thread::if_any();
    return thread == nullptr ? nullptr : thread->current();
}

/// Looks a context up and calls `body` with it. For the thread that the context belongs to.
template <typename Body>
octavo_status with(octavo_wait_context handle, Body&& body) noexcept {
    auto* wait = waits().look_up(handle.id);
    if (wait == nullptr) return fail(OCTAVO_ERR_BAD_HANDLE, "wait: the context was freed or never was");
    return guarded([&] { return body(*wait); });
}

/// The same for calls from any thread: the context stays until `body` returns.
template <typename Body>
octavo_status with_shared(octavo_wait_context handle, Body&& body) noexcept {
    auto* wait = waits().acquire(handle.id);
    if (wait == nullptr) return fail(OCTAVO_ERR_BAD_HANDLE, "wait: the context was freed or never was");
    const octavo_status status = body(*wait);
    waits().release(handle.id);
    return status;
}

octavo_status found(bool is_there) noexcept { return is_there ? OCTAVO_OK : OCTAVO_RETRY; }

}  // namespace

extern "C" {

octavo_status octavo_job_init_thread(size_t max_jobs, size_t init_jobs) {
    if (max_jobs != 0 && init_jobs > max_jobs)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "init_jobs: %zu; at most max_jobs, which is %zu", init_jobs, max_jobs);
    auto* thread = Thread::here();
    if (thread == nullptr) return no_thread();
    if (thread->reserve(max_jobs, init_jobs)) return OCTAVO_OK;
    return fail(OCTAVO_ERR_NO_MEMORY, "init_jobs: no memory for %zu: %s", init_jobs, std::strerror(errno));
}

void octavo_job_cleanup_thread(void) {
    if (auto* thread = Thread::if_any()) thread->clean_up();
}

void octavo_job_trim_thread(void) {
    if (auto* thread = Thread::if_any()) thread->trim();
}

octavo_status octavo_job_set_stack_size(size_t size) {
    if (Thread::set_stack_size(size)) return OCTAVO_OK;
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "size: %zu; from %u to %u bytes", size, OCTAVO_JOB_STACK_MIN,
                OCTAVO_JOB_STACK_MAX);
}

octavo_job_result octavo_job_start(octavo_job* job, octavo_wait_context wait, int* result, int (*function)(void*),
                                   const void* argument, size_t argument_len) {
    if (job == nullptr) return error(null_argument("job"));
    if (function == nullptr && job->id == 0) return error(null_argument("function"));
    return Thread::start(job, wait, result, function, argument, argument_len);
}

octavo_status octavo_job_pause(octavo_job_cancel_hook* hook, void* argument) { return Thread::pause(hook, argument); }

octavo_job octavo_job_current(void) {
    const auto* job = current();
    return job == nullptr ? octavo_job{0} : job->handle();
}

void octavo_job_block_pause(void) {
    if (auto* job = current()) ++job->blocked;
}

void octavo_job_unblock_pause(void) {
    auto* job = current();
    if (job != nullptr && job->blocked != 0) --job->blocked;
}

octavo_status octavo_job_cancel(octavo_job job) {
    auto* thread = Thread::here();
    return thread == nullptr ? no_thread() : thread->cancel(job);
}

octavo_status octavo_job_discard(octavo_job job) {
    auto* thread = Thread::here();
    return thread == nullptr ? no_thread() : thread->discard(job);
}

octavo_job_state octavo_job_get_state(octavo_job job) {
    const auto* object = octavo::job::table::find(job.id);
    const auto* thread = Thread::if_any();
    const bool own = object != nullptr && object->owner.load(std::memory_order_relaxed) == thread;
    return own ? object->state : OCTAVO_JOB_STATE_NONE;
}

octavo_wait_context octavo_job_get_wait(octavo_job job) {
    const auto* object = octavo::job::table::find(job.id);
    return object == nullptr ? octavo_wait_context{0} : object->wait;
}

const octavo_job_hooks* octavo_job_set_hooks(const octavo_job_hooks* hooks) {
    auto* job = current();
    return job == nullptr ? nullptr : std::exchange(job->hooks, hooks);
}

octavo_wait_context octavo_wait_new(void) {
    auto wait = std::unique_ptr<Wait>(new (std::nothrow) Wait);
    if (wait != nullptr) {
        const octavo_wait_context handle{waits().add(std::move(wait))};
        if (handle.id != 0) return handle;
    }
    (void)fail(OCTAVO_ERR_NO_MEMORY, "no memory or no place for another wait context");
    return {0};
}

octavo_status octavo_wait_free(octavo_wait_context wait) {
    return wait.id == 0 ? OCTAVO_OK : octavo::job::free_wait(wait);
}

octavo_status octavo_wait_set_fd(octavo_wait_context wait, const void* key, int fd, void* data,
                                 octavo_wait_cleanup* cleanup) {
    return with(wait, [&](Wait& object) {
        object.add_fd(key, fd, data, cleanup);
        return OCTAVO_OK;
    });
}

octavo_status octavo_wait_get_fd(octavo_wait_context wait, const void* key, int* fd, void** data) {
    return with(wait, [&](const Wait& object) {
        int found_fd = -1;
        void* found_data = nullptr;
        if (!object.find_fd(key, found_fd, found_data)) return OCTAVO_RETRY;
        if (fd != nullptr) *fd = found_fd;
        if (data != nullptr) *data = found_data;
        return OCTAVO_OK;
    });
}

octavo_status octavo_wait_clear_fd(octavo_wait_context wait, const void* key) {
    return with(wait, [&](Wait& object) { return found(object.clear_fd(key)); });
}

octavo_status octavo_wait_get_all_fds(octavo_wait_context wait, int* fds, size_t* num_fds) {
    if (num_fds == nullptr) return null_argument("num_fds");
    *num_fds = 0;
    return with(wait, [&](const Wait& object) {
        *num_fds = object.all_fds(fds);
        return OCTAVO_OK;
    });
}

octavo_status octavo_wait_get_changed_fds(octavo_wait_context wait, int* added, size_t* num_added, int* deleted,
                                          size_t* num_deleted) {
    if (num_added == nullptr) return null_argument("num_added");
    if (num_deleted == nullptr) return null_argument("num_deleted");
    *num_added = *num_deleted = 0;
    return with(wait, [&](const Wait& object) {
        object.changed_fds(added, *num_added, deleted, *num_deleted);
        return OCTAVO_OK;
    });
}

octavo_status octavo_wait_set_callback(octavo_wait_context wait, octavo_wait_callback* callback, void* argument) {
    return with(wait, [&](Wait& object) {
        object.set_callback(callback, argument);
        return OCTAVO_OK;
    });
}

octavo_status octavo_wait_get_callback(octavo_wait_context wait, octavo_wait_callback** callback, void** argument) {
    return with(wait, [&](const Wait& object) {
        if (object.callback() == nullptr) return OCTAVO_RETRY;
        if (callback != nullptr) *callback = object.callback();
        if (argument != nullptr) *argument = object.callback_argument();
        return OCTAVO_OK;
    });
}

octavo_status octavo_wait_set_status(octavo_wait_context wait, int status) {
    return with_shared(wait, [&](Wait& object) {
        object.status().store(status, std::memory_order_relaxed);
        return OCTAVO_OK;
    });
}

int octavo_wait_get_status(octavo_wait_context wait) {
    int status = OCTAVO_WAIT_UNSUPPORTED;
    (void)with_shared(wait, [&](Wait& object) {
        status = object.status().load(std::memory_order_relaxed);
        return OCTAVO_OK;
    });
    return status;
}

octavo_status octavo_wait_get_wakeup(octavo_wait_context wait, octavo_wakeup* wakeup) {
    if (wakeup == nullptr) return null_argument("wakeup");
    *wakeup = {-1, nullptr, nullptr};
    return with(wait, [&](Wait& object) {
        if (object.wakeup(*wakeup)) return OCTAVO_OK;
        return fail(OCTAVO_ERR_SYSTEM, "no eventfd: %s", std::strerror(errno));
    });
}

octavo_status octavo_wait_notify(octavo_wait_context wait) {
    return with_shared(wait, [](Wait& object) { return found(object.notify()); });
}

octavo_status octavo_wait_drain(octavo_wait_context wait) {
    return with(wait, [](Wait& object) {
        object.drain();
        return OCTAVO_OK;
    });
}

}  // extern "C"
