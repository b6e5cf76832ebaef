#include "instance/events.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "base/error.hpp"
#include "base/fork.hpp"

namespace octavo::instance {
namespace {

struct Subscription {
    std::uint64_t number;
    octavo_event_callback* callback;
    void* argument;
};

struct Subscribers {
    fork::Mutex mutex{fork::Rank::event};
    // Not held over callbacks, which may take long, and fork() would wait for them: the list stays as it is while they run.
    static constexpr std::uint64_t kNobody = UINT64_MAX;
    std::atomic<std::uint64_t> calls_in{kNobody};  ///< the generation whose health thread runs callbacks
    std::uint64_t last = 0;
    std::vector<Subscription> list;

    static Subscribers* const all;
    static Subscribers& get() noexcept { return *all; }
};
Subscribers* const Subscribers::all = new Subscribers;  // see base/fork.hpp

thread_local bool is_calling = false;

/// The list, which may be changed: no callback runs.
std::unique_lock<fork::Mutex> lock_list(Subscribers& self) {
    for (;;) {
        std::unique_lock lock{self.mutex};
        const auto generation = fork::generation();
        if (self.calls_in.load(std::memory_order_acquire) != generation) return lock;
        lock.unlock();
        self.calls_in.wait(generation, std::memory_order_acquire);
    }
}

octavo_status from_callback() noexcept {
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "called from a callback of an event: subscriptions cannot change there");
}

}  // namespace

octavo_status subscribe(octavo_event_callback* callback, void* argument, std::uint64_t& subscription) {
    if (is_calling) return from_callback();
    auto& self = Subscribers::get();
    const auto lock = lock_list(self);
    self.list.push_back({self.last + 1, callback, argument});
    subscription = ++self.last;
    return OCTAVO_OK;
}

octavo_status unsubscribe(std::uint64_t subscription) {
    if (is_calling) return from_callback();
    auto& self = Subscribers::get();
    const auto lock = lock_list(self);
    const auto removed = std::erase_if(self.list, [&](const auto& one) { return one.number == subscription; });
    if (removed > 0) return OCTAVO_OK;
    return fail(OCTAVO_ERR_BAD_HANDLE, "subscription: it was ended or never was");
}

void call_subscribers(const Happenings& happenings) noexcept {
    if (happenings.begin() == happenings.end()) return;
    auto& self = Subscribers::get();
    {
        const std::lock_guard lock{self.mutex};
        self.calls_in.store(fork::generation(), std::memory_order_relaxed);
    }
    is_calling = true;
    for (const auto& one : happenings)
        for (const auto& to : self.list) to.callback(to.argument, one.endpoint, one.event);
    is_calling = false;
    self.calls_in.store(Subscribers::kNobody, std::memory_order_release);
    self.calls_in.notify_all();
}

}  // namespace octavo::instance
