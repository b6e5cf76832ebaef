#include "instance/events.hpp"

#include <algorithm>
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
    fork::Mutex mutex{fork::Rank::event};  // held over callbacks: who unsubscribes waits for their end
    std::uint64_t last = 0;
    std::vector<Subscription> list;

    static Subscribers& get() {
        static auto* const it = new Subscribers;
        return *it;
    }
};

thread_local bool is_calling = false;

octavo_status from_callback() noexcept {
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "called from a callback of an event: subscriptions cannot change there");
}

}  // namespace

octavo_status subscribe(octavo_event_callback* callback, void* argument, std::uint64_t& subscription) {
    if (is_calling) return from_callback();
    auto& self = Subscribers::get();
    const std::lock_guard lock{self.mutex};
    self.list.push_back({self.last + 1, callback, argument});
    subscription = ++self.last;
    return OCTAVO_OK;
}

octavo_status unsubscribe(std::uint64_t subscription) {
    if (is_calling) return from_callback();
    auto& self = Subscribers::get();
    const std::lock_guard lock{self.mutex};
    const auto removed = std::erase_if(self.list, [&](const auto& one) { return one.number == subscription; });
    if (removed > 0) return OCTAVO_OK;
    return fail(OCTAVO_ERR_BAD_HANDLE, "subscription: it was ended or never was");
}

void call_subscribers(const Happenings& happenings) noexcept {
    if (happenings.begin() == happenings.end()) return;
    auto& self = Subscribers::get();
    const std::lock_guard lock{self.mutex};
    is_calling = true;
    for (const auto& one : happenings)
        for (const auto& to : self.list) to.callback(to.argument, one.endpoint, one.event);
    is_calling = false;
}

}  // namespace octavo::instance
