#include "instance/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "base/worker_thread.hpp"

namespace octavo::instance {
namespace {

using Devices = std::vector<std::shared_ptr<Polled>>;

struct KnownPoller {
    Polling polling;
    std::weak_ptr<Poller> poller;
};

/// Every device of this process that a thread of its own or the application polls.
struct Known {
    Devices devices;
    std::map<std::size_t, std::unique_ptr<Watch>> watches;  // by index: what octavo_polling_fd() gave
    std::vector<KnownPoller> pollers;
};

struct Registry {
    fork::Mutex mutex{fork::Rank::table};
    // guarded by the mutex
    std::uint64_t generation = fork::generation();
    Known known;

    std::atomic<std::uint64_t> version{1};
};

Registry* const the_registry = new Registry;  // see base/fork.hpp
Registry& registry() noexcept { return *the_registry; }

/// The registry, locked. What there is in a child after fork() is the parent's, and goes when the lock is off, as devices have mutexes.
class Access {
public:
    Access() : lock_(registry().mutex) {
        auto& self = registry();
        if (self.generation == fork::generation()) return;
        self.generation = fork::generation();
        std::swap(remains_, self.known);
    }
    Known* operator->() noexcept { return &registry().known; }

private:
    Known remains_;
    std::lock_guard<fork::Mutex> lock_;
};

/// A thread's copy of the devices, taken anew when they have changed.
class Snapshot {
public:
    const Devices& get() {
        const auto version = registry().version.load(std::memory_order_acquire);
        const auto generation = fork::generation();
        if (version_ == version && generation_ == generation) return devices_;
        Devices fresh;
        fresh = Access {
            } -> devices;
        devices_.swap(fresh);
        version_ = version;
        generation_ = generation;
        return devices_;
    }

private:
    std::uint64_t version_ = 0, generation_ = 0;
    Devices devices_;
};

bool is_external(const Polled& polled) noexcept {
    return polled.polling().mode == OCTAVO_POLLING_EXTERNAL || polled.polling().mode == OCTAVO_POLLING_HEURISTIC;
}

}  // namespace

/// An internal thread for all devices of the same settings.
class Poller {
public:
    explicit Poller(const Polling& polling) : polling_(polling) {}
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller();

    [[nodiscard]] bool start() noexcept;
    [[nodiscard]] bool serve(Polled& polled) noexcept;

private:
    bool has_timer() const noexcept { return polling_.mode == OCTAVO_POLLING_TIMER; }
    static void thread_main(void* poller) noexcept;
    void poll_by_timer() noexcept;
    void poll_by_events() noexcept;
    std::size_t poll_all() noexcept;
    bool any_pending() noexcept;

    const Polling polling_;
    const std::uint64_t generation_ = fork::generation();
    Parking parking_;  // timer
    Watch watch_;      // event
    Bell stop_bell_;
    std::atomic<bool> stop_{false};
    WorkerThread thread_;
    Snapshot snapshot_;
};

bool Poller::start() noexcept {
    if (!has_timer() && (watch_.fd() < 0 || !stop_bell_.hang(watch_))) return false;
    return thread_.start("octavo-poll", thread_main, this);
}

Poller::~Poller() {
    stop_.store(true, std::memory_order_release);
    if (generation_ == fork::generation()) {
        parking_.wake();
        stop_bell_.ring();
    }
    thread_.join();
}

bool Poller::serve(Polled& polled) noexcept {
    if (!has_timer()) return polled.hang_bell(watch_);
    polled.set_sleeper(&parking_);
    return true;
}

void Poller::thread_main(void* poller) noexcept {
    auto& self = *static_cast<Poller*>(poller);
    self.has_timer() ? self.poll_by_timer() : self.poll_by_events();
}

bool Poller::any_pending() noexcept {
    const auto& devices = snapshot_.get();
    return std::any_of(devices.begin(), devices.end(), [this](const std::shared_ptr<Polled>& polled) {
        return polled->polling() == polling_ && polled->pending();
    });
}

std::size_t Poller::poll_all() noexcept {
    std::size_t count = 0;
    for (const auto& polled : snapshot_.get())
        if (polled->polling() == polling_) count += polled->poll();
    return count;
}

void Poller::poll_by_timer() noexcept {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);  // 50 us otherwise
    const timespec interval{0, static_cast<long>(polling_.interval_ns)};
    while (!stop_.load(std::memory_order_acquire)) {
        fork::step_aside();
        const auto ticket = parking_.announce();
        if (!any_pending() && !stop_.load(std::memory_order_acquire))
            parking_.sleep(ticket, Parking::kForEver);
        else
            parking_.withdraw();
        ::nanosleep(&interval, nullptr);
        poll_all();
    }
}

void Poller::poll_by_events() noexcept {
    epoll_event events[16];
    constexpr timespec kHeld{0, 500'000};  // bells ring on for what a fault keeps back
    while (!stop_.load(std::memory_order_acquire)) {
        fork::step_aside();
        ::epoll_wait(watch_.fd(), events, std::size(events), static_cast<int>(polling_.timeout_ms));
        if (poll_all() == 0) ::nanosleep(&kHeld, nullptr);
    }
}

namespace {

/// Call with the registry locked: another poller's last reference must not go meanwhile, as its thread may wait for the lock.
std::shared_ptr<Poller> poller_for(Access& known, const Polling& polling) {
    std::erase_if(known->pollers, [](const KnownPoller& one) { return one.poller.expired(); });
    for (const auto& one : known->pollers) {
        if (one.polling != polling) continue;
        if (auto poller = one.poller.lock()) return poller;
    }
    auto poller = std::make_shared<Poller>(polling);
    if (!poller->start()) return nullptr;
    known->pollers.push_back({polling, poller});
    return poller;
}

void add(Access& known, const std::shared_ptr<Polled>& polled) {
    known->devices.push_back(polled);
    registry().version.fetch_add(1, std::memory_order_release);
}

}  // namespace

std::shared_ptr<Poller> join_pollers(const std::shared_ptr<Polled>& polled) {
    if (polled->polling().mode == OCTAVO_POLLING_INLINE) return nullptr;
    std::shared_ptr<Poller> poller;  // goes after the lock
    Access known;
    if (is_external(*polled)) {
        const auto watch = known->watches.find(polled->index());
        if (watch == known->watches.end() || polled->hang_bell(*watch->second)) add(known, polled);
        return nullptr;
    }
    poller = poller_for(known, polled->polling());
    if (poller == nullptr || !poller->serve(*polled)) return nullptr;
    add(known, polled);
    return poller;
}

void leave_pollers(const Polled& polled) noexcept {
    Access known;
    std::erase_if(known->devices, [&](const std::shared_ptr<Polled>& one) { return one.get() == &polled; });
    registry().version.fetch_add(1, std::memory_order_release);
}

std::size_t poll_devices(std::size_t index) {
    thread_local Snapshot snapshot;
    std::size_t count = 0;
    const auto devices = snapshot.get();
    for (const auto& polled : devices) {
        const bool is_meant =
            index == OCTAVO_POLLING_ALL || (index == OCTAVO_POLLING_OWN ? polled->is_mine() : index == polled->index());
        if (is_meant && is_external(*polled)) count += polled->poll();
    }
    return count;
}

int external_fd(std::size_t index) {
    Access known;
    auto& watch = known->watches[index];
    if (watch == nullptr) watch = std::make_unique<Watch>();
    bool complete = watch->fd() >= 0;
    for (const auto& polled : known->devices)
        if (is_external(*polled) && polled->index() == index) complete = polled->hang_bell(*watch) && complete;
    return complete ? watch->fd() : -1;
}

}  // namespace octavo::instance
