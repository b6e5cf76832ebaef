#pragma once

#include <octavo/job.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/handles.hpp"

namespace octavo::job {

/// A wait context: what octavo_wait_... in job.h promise of it. Belongs to its job's thread, but for the status and notify().
class Wait {
public:
    Wait() = default;
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait();

    void add_fd(const void* key, int fd, void* data, octavo_wait_cleanup* cleanup);
    /// False where there is none under the key.
    bool find_fd(const void* key, int& fd, void*& data) const noexcept;
    bool clear_fd(const void* key) noexcept;
    std::size_t all_fds(int* fds) const noexcept;
    void changed_fds(int* added, std::size_t& num_added, int* deleted, std::size_t& num_deleted) const noexcept;
    /// When the job is resumed: what has changed is known.
    void reset_changed() noexcept {
        if (changed_) forget_changed();
    }
    /// Runs the cleanup functions, before the context goes.
    void clean_up(octavo_wait_context self) noexcept;

    octavo_wait_callback* callback() const noexcept { return callback_; }
    void* callback_argument() const noexcept { return callback_argument_; }
    void set_callback(octavo_wait_callback* function, void* argument) noexcept {
        callback_ = function;
        callback_argument_ = argument;
    }
    std::atomic<int>& status() noexcept { return status_; }

    /// False, with errno, where no descriptor is to be had.
    bool wakeup(octavo_wakeup& wakeup) noexcept;
    bool notify() noexcept;
    void drain() noexcept;
    /// Before the job pauses: its descriptor is among the others from now on. False where memory is short.
    bool show_event() noexcept { return event_ == shown_ || add_event(); }

    /// The last job that was started with this context; it may be void by now.
    std::atomic<std::uint64_t> job{0};

private:
    struct Entry {
        const void* key;
        int fd;
        void* data;
        octavo_wait_cleanup* cleanup;
        bool added, deleted;
    };

    static void call_back(void* self);
    Entry* find(const void* key) noexcept;
    void forget_changed() noexcept;
    bool make_event() noexcept;
    bool add_event() noexcept;

    std::vector<Entry> entries_;
    bool changed_ = false;
    octavo_wait_callback* callback_ = nullptr;
    void* callback_argument_ = nullptr;
    std::atomic<int> status_{OCTAVO_WAIT_UNSUPPORTED};
    int event_ = -1, shown_ = -1;
    std::uint64_t event_fork_ = 0;
};

Handles<Wait>& waits() noexcept;

/// octavo_wait_free().
octavo_status free_wait(octavo_wait_context wait) noexcept;

}  // namespace octavo::job
