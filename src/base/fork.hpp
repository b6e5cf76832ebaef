#pragma once

#include <cstdint>
#include <mutex>

namespace octavo::fork {

/// 0 in the process that loaded the library, one more in each child of it, at any depth. Whatever lives in threads, rings or files of a process
/// remembers the generation that made it, and makes itself anew when the number has changed.
std::uint64_t generation() noexcept;

/// Whether a fork() waits for a Mutex, or has them all.
bool is_waiting() noexcept;

/// For threads that take a Mutex over and over: steps aside while a fork() waits for it, which might otherwise starve.
void step_aside() noexcept;

/// The order in which fork() takes mutexes, which is the order in which they may nest.
enum class Rank : int { event = 0, engine = 1, section = 2, table = 3 };

// What the whole process shares is made while the library is loaded, at namespace scope: a function-local static is locked while a thread makes it,
// and another thread that forks at that moment leaves it locked for ever in the child. It is never destroyed: threads may outlive static objects.

/// A mutex that fork() finds unlocked in the child: fork() waits until it is free, holds it over the fork, and releases it
/// on both sides. What it guards is then consistent in the child.
class Mutex {
public:
    explicit Mutex(Rank rank) noexcept;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;
    ~Mutex();

    void lock() noexcept { mutex_.lock(); }
    void unlock() noexcept { mutex_.unlock(); }
    bool try_lock() noexcept { return mutex_.try_lock(); }

private:
    friend struct Registry;
    std::mutex mutex_;
    Mutex* next_ = nullptr;
    Rank rank_;
};

}  // namespace octavo::fork
