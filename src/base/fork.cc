#include "base/fork.hpp"

#include <pthread.h>

#include <atomic>
#include <cstdlib>

namespace octavo::fork {
namespace {
std::atomic<std::uint64_t> current_generation{0};
std::atomic<bool> fork_waits{false};
}  // namespace

/// Every Mutex alive, sorted by rank. Never destroyed: fork() may come while the process ends.
struct Registry {
    std::mutex guard;
    Mutex* first = nullptr;

    static Registry& get() noexcept;

    void add(Mutex& mutex) noexcept {
        const std::lock_guard lock{guard};
        Mutex** place = &first;
        while (*place != nullptr && (*place)->rank_ < mutex.rank_) place = &(*place)->next_;
        mutex.next_ = *place;
        *place = &mutex;
    }

    void remove(Mutex& mutex) noexcept {
        const std::lock_guard lock{guard};
        Mutex** place = &first;
        while (*place != &mutex) place = &(*place)->next_;
        *place = mutex.next_;
    }

    static void prepare() noexcept {
        auto& registry = get();
        registry.guard.lock();
        fork_waits.store(true, std::memory_order_relaxed);
        for (Mutex* m = registry.first; m != nullptr; m = m->next_) m->lock();
    }

    void release() noexcept {
        fork_waits.store(false, std::memory_order_relaxed);
        for (Mutex* m = first; m != nullptr; m = m->next_) m->unlock();
        guard.unlock();
    }

    static void in_parent() noexcept { get().release(); }

    static void in_child() noexcept {
        current_generation.fetch_add(1, std::memory_order_relaxed);  // the child has one thread
        get().release();
    }
};

namespace {
constinit Registry registry;
[[maybe_unused]] const bool watches_forks = [] {
    if (pthread_atfork(Registry::prepare, Registry::in_parent, Registry::in_child) != 0) std::abort();
    return true;
}();
}  // namespace

Registry& Registry::get() noexcept { return registry; }

std::uint64_t generation() noexcept { return current_generation.load(std::memory_order_relaxed); }

bool is_waiting() noexcept { return fork_waits.load(std::memory_order_relaxed); }

void step_aside() noexcept {
    if (!is_waiting()) return;
    const std::lock_guard until_forked{Registry::get().guard};
}

Mutex::Mutex(Rank rank) noexcept : rank_(rank) { Registry::get().add(*this); }
Mutex::~Mutex() { Registry::get().remove(*this); }

}  // namespace octavo::fork
