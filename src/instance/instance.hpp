#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/fork.hpp"
#include "device/engine.hpp"
#include "device/executor.hpp"
#include "device/port.hpp"
#include "instance/alone.hpp"
#include "instance/health.hpp"
#include "instance/poller.hpp"
#include "instance/polling.hpp"
#include "instance/stats_file.hpp"

namespace octavo::instance {

/// An instance as octavo.h describes it: the owner's side of a port, and the device behind it. Every call comes from one thread at a time. The
/// C interface has checked pointers and handles; everything else is checked here.
class Instance {
public:
    struct Config {
        const char* name = "default";
        octavo_driver driver = OCTAVO_DRIVER_AUTO;
        std::uint32_t ring_size = 256;
        bool never_in_place = false;
        bool portable_only =
            false;  ///< of a process that was denied a section: everything falls back, and is counted so
        bool checks_ecdsa = false;                   ///< no ECDSA signature leaves unverified
        device::Cores cores{};                       ///< where an engine thread runs
        const device::CostFigures* costs = nullptr;  ///< to start with; null: built-in ones. Not kept
        HealthConfig health{};
        Polling polling{};
        std::size_t index = 0;  ///< of the process's instances for polling (octavo.h): which one this belongs to
    };

    explicit Instance(const Config& config);
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance();

    [[nodiscard]] octavo_status submit(const octavo_submission& submission, std::uint64_t& request) noexcept;
    [[nodiscard]] octavo_status poll(std::size_t quota, std::size_t& num_reaped) noexcept;
    [[nodiscard]] octavo_status poll_batch(std::size_t& num_reaped) noexcept;
    [[nodiscard]] octavo_status wait(std::uint64_t request, std::uint64_t timeout_ns) noexcept;
    [[nodiscard]] octavo_status result(std::uint64_t request, MutableBytes output, std::size_t& output_len) noexcept;
    [[nodiscard]] octavo_status cancel(std::uint64_t request) noexcept;
    [[nodiscard]] octavo_status execute(std::uint64_t key, std::uint32_t operation, Bytes input, MutableBytes output,
                                        std::size_t& output_len) noexcept;
    [[nodiscard]] octavo_status consult(std::uint64_t key, std::uint32_t operation, bool will_wait) noexcept;
    [[nodiscard]] octavo_status event_fd(int& fd) noexcept;
    void statistics(octavo_statistics& statistics) noexcept;

    /// True while a callback of this instance runs: it must not be destroyed then.
    bool in_callback() const noexcept { return in_callback_; }
    /// True where no request is in flight or waits to be fetched or called back.
    bool idle() noexcept {
        follow_fork();
        return free_.size() == tickets_.size();
    }
    /// Requests that were put into the ring so far, and those that are still in flight.
    void progress(std::uint64_t& num_queued, std::size_t& num_waiting) noexcept {
        follow_fork();
        num_queued = num_queued_;
        num_waiting = num_in_flight_;
    }
    octavo_driver driver() const noexcept { return config_.driver; }
    unsigned endpoint() const noexcept { return config_.health.endpoint; }
    octavo_polling_mode polling_mode() const noexcept { return config_.polling.mode; }
    /// octavo_instance_waiter_computes()
    [[nodiscard]] octavo_status waiter_computes(std::uint64_t key, std::uint32_t operation, bool& computes) noexcept;

private:
    /// A zombie is done with, or cancelled, and still the device's or a rescuer's; `calling` is done, and its callback runs.
    enum class State : std::uint8_t { free, in_flight, zombie, done, calling };
    /// The owner's notes on a slot.
    struct Ticket {
        State state = State::free;
        // What the owner waits for before the slot is its own again: an ordinary reply is both; of a rescued request they come one by one.
        bool is_back = true, has_result = true;
        std::uint32_t generation = 1;
        std::uint32_t next_to_call = 0;
        octavo_callback* callback = nullptr;
        void* argument = nullptr;
    };

    device::Slot& slot(std::uint32_t number) noexcept { return port_.slots[number]; }
    std::uint64_t handle(std::uint32_t number) const noexcept {
        return static_cast<std::uint64_t>(tickets_[number].generation) << 32 | (number + 1);
    }
    std::optional<std::uint32_t> find(std::uint64_t request) const noexcept;
    device::Counters& counters() noexcept { return (*stats_)->counters; }

    static void wipe_slot(device::Slot& slot) noexcept;
    void fill_slot(std::uint32_t number, const octavo_submission& submission, request::KeyRef key) noexcept;
    octavo_status enqueue(std::uint32_t number) noexcept;
    octavo_status run_in_place(std::uint32_t number) noexcept;
    octavo_status execute_through_ring(std::uint64_t key, std::uint32_t operation, Bytes input, MutableBytes output,
                                       std::size_t& output_len) noexcept;
    bool ensure_engine() noexcept;
    bool is_alone(bool will_wait) noexcept;
    bool looks_for_company() const noexcept { return engine_ != nullptr || polled_ != nullptr || has_waiters_; }
    bool engine_would_pay(const request::Key& key, std::uint32_t operation) noexcept;
    request::Route route(const request::Key& key, std::uint32_t operation) const noexcept;
    bool is_away() const noexcept { return device::is_away(config_.health.endpoint); }
    bool wants_engine(const octavo_wakeup& wakeup) const noexcept;
    void start_polled();
    void stop_polled() noexcept;

    std::size_t collect(std::size_t most) noexcept;
    octavo_status begin_poll(const char* name) noexcept;
    std::size_t reap(std::size_t most) noexcept;
    bool collect_one(std::uint32_t number, bool from_rescuer) noexcept;
    void settle_wake(std::uint32_t number) noexcept;
    void disarm_wake(std::uint32_t number) noexcept;
    void end_telling(std::uint32_t number) noexcept;
    void conclude(std::uint32_t number, octavo_status status) noexcept;
    void finish(std::uint32_t number, octavo_status status) noexcept;
    void queue_callback(std::uint32_t number) noexcept;
    void unqueue_callback(std::uint32_t number) noexcept;
    std::size_t run_callbacks(std::size_t most) noexcept;
    void call_back(std::uint32_t number) noexcept;
    void release(std::uint32_t number) noexcept;
    bool drive() noexcept;
    /// Whether the device is its own to drive when it polls for replies: not where the application or a thread of the library does.
    bool owner_polls() const noexcept { return polled_ == nullptr || polling_mode() == OCTAVO_POLLING_INLINE; }
    bool has_to_sleep() const noexcept;
    void drain_event() noexcept;
    void rearm_event() noexcept;
    void after_fork() noexcept;
    void follow_fork() noexcept {
        if (generation_ != fork::generation()) after_fork();
    }

    Config config_;
    char name_[32] = {};
    std::unique_ptr<StatsLease> stats_;
    device::Port port_;
    device::Executor executor_;
    std::unique_ptr<device::Engine> engine_;
    // in every mode but the default: the device as those see it who poll it, and the thread that does
    std::shared_ptr<Polled> polled_;
    std::shared_ptr<Poller> poller_;
    // of work in place; the executor has its own
    device::CostTable costs_;
    device::Scratch scratch_;
    Alone alone_;
    std::optional<bool> is_pinned_;  // to one core: known once it has mattered
    bool has_waiters_ = false;       // a front end was told that the waiter computes
    std::vector<Ticket> tickets_;
    std::vector<std::uint32_t> free_;
    // Done requests whose callbacks have not run, oldest first, linked through Ticket::next_to_call.
    std::uint32_t first_to_call_ = 0, last_to_call_ = 0, num_to_call_ = 0;
    std::size_t num_in_flight_ = 0;
    std::uint64_t num_queued_ = 0;
    std::unique_ptr<Member> member_;
    int event_ = -1;
    bool in_callback_ = false;
    std::uint64_t generation_ = fork::generation();
};

using InstanceHandles = Handles<Instance>;
/// All instances of the process; never destroyed.
InstanceHandles& instances() noexcept;

}  // namespace octavo::instance
