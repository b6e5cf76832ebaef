#pragma once

#include <openssl/async.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace octavo::cli {

/// OpenSSL jobs on one thread, as an event loop runs them: each slot has a wait context, whose descriptors are watched with epoll; a
/// job does one operation, and its slot starts another when it ends. Where the application polls, it does so each time that all jobs wait.
class JobLoop {
public:
    /// `operation(slot)` runs inside a job, and may pause it; false where it fails.
    JobLoop(std::size_t num_slots, std::function<bool(std::size_t)> operation);
    JobLoop(const JobLoop&) = delete;
    JobLoop& operator=(const JobLoop&) = delete;
    ~JobLoop();

    /// Runs `count` operations to their end. Failure where one fails, or where none completes for ten seconds.
    void run(std::size_t count);

private:
    struct Slot {
        JobLoop* loop;
        std::size_t index;
        ASYNC_WAIT_CTX* wait;
        ASYNC_JOB* job = nullptr;
        std::size_t num_fds = 0;
    };

    static int job_main(void* argument);
    void go_on(Slot& slot);
    void watch(Slot& slot);
    void fill();
    void wait();

    std::function<bool(std::size_t)> operation_;
    std::vector<Slot> slots_;
    int epoll_;
    std::size_t to_start_ = 0, running_ = 0;
    bool polls_ = false;
};

}  // namespace octavo::cli
