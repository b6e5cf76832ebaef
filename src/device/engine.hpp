#pragma once

#include <atomic>
#include <memory>

#include "base/fork.hpp"
#include "base/worker_thread.hpp"
#include "device/executor.hpp"

namespace octavo::device {

/// Cores `first` to `last` of the machine; none: wherever the process may run.
struct Cores {
    int first = -1, last = -1;
    bool any() const noexcept { return first < 0; }
};

/// A thread that drives an executor: takes what is queued as soon as it runs, and sleeps when nothing is. It asks the scheduler not to pre-empt
/// the submitter for it (SCHED_BATCH), so that on one core a batch fills until the submitter blocks.
class Engine {
public:
    /// Null where the system gives no thread. The executor, the port and the counters outlive the engine. Where the system does not allow
    /// these cores, the thread runs anywhere.
    static std::unique_ptr<Engine> start(Executor& executor, Port& port, Counters::Work& counters,
                                         Cores cores) noexcept;

    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    /// Ends the thread after the batch that it is in. In a child after fork(), where there is no thread, it only frees the memory.
    ~Engine();

    /// The submitter: something was pushed.
    void notify() noexcept { port_.engine.wake(); }

private:
    Engine(Executor& executor, Port& port, Counters::Work& counters, Cores cores) noexcept
        : executor_(executor), port_(port), counters_(counters), cores_(cores) {}
    static void thread_main(void* engine) noexcept;
    void settle_on_cores() const noexcept;
    std::size_t round() noexcept;
    void loop() noexcept;

    Executor& executor_;
    Port& port_;
    Counters::Work& counters_;
    const Cores cores_;
    // Held over a batch, so that fork() finds neither the executor nor OpenSSL's locks in the middle of one.
    fork::Mutex running_{fork::Rank::engine};
    std::atomic<bool> stop_{false};
    WorkerThread thread_;
};

}  // namespace octavo::device
