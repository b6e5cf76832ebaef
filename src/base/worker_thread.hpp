#pragma once

#include <pthread.h>

#include <cstdint>

#include "base/fork.hpp"

namespace octavo {

/// A thread of the library's own: all signals blocked, which stay with the application's threads.
class WorkerThread {
public:
    /// What becomes of others when it wakes up: it does not pre-empt them (SCHED_BATCH), or does as soon as its share allows, because it asks
    /// for short slices. Where the system refuses either, it is an ordinary thread.
    enum class Waking { patient, prompt };

    WorkerThread() = default;
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;
    ~WorkerThread() = default;

    /// Runs main(argument). False where the system gives no thread. `name` has at most 15 bytes.
    [[nodiscard]] bool start(const char* name, void (*main)(void*) noexcept, void* argument,
                             Waking waking = Waking::patient) noexcept;
    /// Waits for its end, which the caller has asked of it. In a child after fork(), where there is no thread, nothing.
    void join() noexcept;

private:
    static void* begin(void* self) noexcept;

    void (*main_)(void*) noexcept = nullptr;
    void* argument_ = nullptr;
    Waking waking_ = Waking::patient;
    pthread_t thread_{};
    bool is_started_ = false;
    std::uint64_t generation_ = fork::generation();
};

}  // namespace octavo
