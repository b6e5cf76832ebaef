#pragma once

#include <pthread.h>

#include <cstdint>

#include "base/fork.hpp"

namespace octavo {

/// A thread of the library's own: all signals blocked, which stay with the application's threads, and no pre-empting of others (SCHED_BATCH).
class WorkerThread {
public:
    WorkerThread() = default;
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;
    ~WorkerThread() = default;

    /// Runs main(argument). False where the system gives no thread. `name` has at most 15 bytes.
    [[nodiscard]] bool start(const char* name, void (*main)(void*) noexcept, void* argument) noexcept;
    /// Waits for its end, which the caller has asked of it. In a child after fork(), where there is no thread, nothing.
    void join() noexcept;

private:
    static void* begin(void* self) noexcept;

    void (*main_)(void*) noexcept = nullptr;
    void* argument_ = nullptr;
    pthread_t thread_{};
    bool is_started_ = false;
    std::uint64_t generation_ = fork::generation();
};

}  // namespace octavo
