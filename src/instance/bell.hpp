#pragma once

#include <atomic>

namespace octavo::instance {

/// A set of bells as one descriptor (epoll), which is readable while any of them rings.
class Watch {
public:
    Watch() noexcept;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    /// -1 where the system gave none.
    int fd() const noexcept { return fd_; }
    [[nodiscard]] bool add(int fd) const noexcept;

private:
    int fd_;
};

/// Tells whoever watches that there is something to poll: an eventfd, written once until it is silenced. It is there only where somebody watches.
class Bell {
public:
    Bell() = default;
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    /// In a child after fork(): only our descriptor goes; the set is the parent's as well.
    ~Bell();

    /// Hangs it where it is watched; the watch outlives the bell, or is removed first. False where the system refuses. Only the first time
    /// counts.
    [[nodiscard]] bool hang(const Watch& watch) noexcept;
    /// Call before the watch goes, and when nobody may ring any more.
    void take_down() noexcept;

    void ring() noexcept {
        if (fd_.load(std::memory_order_acquire) >= 0 && !rings_.exchange(true, std::memory_order_acq_rel)) write();
    }
    /// What was there to poll before a ring() that this ends is visible to the caller.
    void silence() noexcept {
        if (rings_.exchange(false, std::memory_order_acq_rel)) read();
    }

private:
    void write() noexcept;
    void read() noexcept;

    std::atomic<int> fd_{-1};
    std::atomic<bool> rings_{false};
    int watch_ = -1;
};

}  // namespace octavo::instance
