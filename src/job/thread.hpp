#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "job/job.hpp"
#include "job/switch.hpp"
#include "job/wait.hpp"

namespace octavo::job {

/// One thread's jobs: those that live, and those that wait to be used again. Only the thread itself calls it, but for orphan().
class Thread {
public:
    /// The calling thread's; made on first use. Null when memory ran out, or the thread is past its thread-local destructors.
    static Thread* here() noexcept;
    /// The same, but not made.
    static Thread* if_any() noexcept;
    /// Stack size of jobs to come, in bytes. False out of range.
    static bool set_stack_size(std::size_t size) noexcept;

    bool reserve(std::size_t max_jobs, std::size_t init_jobs);
    void clean_up() noexcept;
    void trim() noexcept;

    /// octavo_job_start(), with its pointers checked; for the calling thread.
    static octavo_job_result start(octavo_job* handle, octavo_wait_context wait, int* result, int (*function)(void*),
                                   const void* argument, std::size_t argument_len) noexcept;
    static octavo_status pause(octavo_job_cancel_hook* hook, void* argument) noexcept;
    octavo_status cancel(octavo_job job) noexcept;
    octavo_status discard(octavo_job job) noexcept;
    Job* current() const noexcept { return current_; }

    /// From any thread: `id`, a job of the owner's, has lost its wait context.
    void orphan(std::uint64_t id) noexcept;

private:
    friend struct Holder;
    struct Orphan {
        std::uint64_t id;
        Orphan* next;
    };
    struct Call {
        octavo_wait_context wait;
        int (*function)(void*);
        const void* argument;
        std::size_t argument_len;
    };

    static void run(void* job) noexcept;
    static std::size_t overflowed(const void* address) noexcept;

    void begin() noexcept;
    void end() noexcept;
    /// The calling thread's, and paused.
    bool may_go_on(const Job& job) const noexcept {
        return job.owner.load(std::memory_order_relaxed) == this && job.state == OCTAVO_JOB_STATE_PAUSED;
    }
    octavo_status why_not(const Job* job) const noexcept;
    Job* take_idle() noexcept;
    Job* make() noexcept;
    bool equip(Job& job) noexcept;
    void release(Job& job) noexcept;
    void destroy(Job& job) noexcept;
    void destroy_excess() noexcept;
    int enter(Job& job, octavo_job* handle, int* result, int value) noexcept;
    void step_in(Job& job) noexcept;
    void step_out(Job& job) noexcept;
    void finish(Job& job) noexcept;
    Job* to_start(const Call& call, octavo_job_result& refused) noexcept;
    Job* to_resume(octavo_job handle) noexcept;
    static void lend(Wait& wait, Job& job) noexcept;
    Job* take_fresh(octavo_job_result& refused) noexcept;
    void take_away(Job& job) noexcept;
    void tick() noexcept;
    void trim_below(std::size_t end) noexcept;
    void collect_orphans() noexcept;

    ExceptionState* exceptions_ = nullptr;  // the C++ runtime's own
    int* errno_ = nullptr;
    Handles<Wait>* waits_ = nullptr;
    Job* current_ = nullptr;
    std::vector<Job*> idle_;  // the last one is used first
    std::vector<Job*> jobs_;  // all of them; idle_ always has room for as many
    std::size_t max_jobs_ = 0, floor_ = 0;
    std::size_t num_trimmed_ = 0;  // idle_'s first so many hold no memory
    std::size_t low_water_ = 0;    // the fewest that were idle in the present window
    unsigned num_ticks_ = 0;
    std::atomic<Orphan*> orphans_{nullptr};
    Thread* next_spare_ = nullptr;
};

}  // namespace octavo::job
