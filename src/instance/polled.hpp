#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/fork.hpp"
#include "base/parking.hpp"
#include "device/counters.hpp"
#include "device/executor.hpp"
#include "device/hand_over.hpp"
#include "device/port.hpp"
#include "instance/bell.hpp"
#include "instance/polling.hpp"

namespace octavo::instance {

/// The device behind an instance that somebody polls (every mode but the default). Polling drives the executor, where no engine thread does, and
/// hands replies over to the owner. Any thread may poll; one at a time does, and those who come meanwhile need not wait: it looks again
/// before it goes.
class Polled final : public device::Outlet {
public:
    struct Parts {
        device::Executor& executor;
        device::Port& port;
        device::Counters::Work& counters;
    };
    /// Made by the owner's thread. The parts outlive it, or close() comes first.
    Polled(const Parts& parts, std::uint32_t num_slots, const Polling& polling, std::size_t index);
    ~Polled() = default;

    /// Polls what waits at this moment: how many replies were handed over.
    std::size_t poll() noexcept { return poll(std::max<std::size_t>(num_waiting(), 1)); }
    /// Until nothing waits, or `most` replies or a few more have been handed over.
    std::size_t poll(std::size_t most) noexcept;
    /// Whether a poll would find something.
    bool pending() const noexcept;

    /// The owner: a request was put into the ring.
    void submitted(octavo_in_flight kind) noexcept;
    /// The owner: nothing of the parts is touched after this.
    void close() noexcept;

    /// Replies of the executor, from an engine thread or from within poll().
    void put(std::span<const std::uint32_t> slots) noexcept override;
    /// Whether replies of an engine thread wait to be handed over.
    bool holds_replies() const noexcept { return !held_.empty(); }

    const Polling& polling() const noexcept { return polling_; }
    std::size_t index() const noexcept { return index_; }
    bool is_mine() const noexcept { return owner_ == thread_token(); }

    /// Whom to tell that there is something to poll; set before the first submission.
    void set_sleeper(Parking* sleeper) noexcept { sleeper_ = sleeper; }
    /// The same by a descriptor, at any time; of the first watch alone.
    [[nodiscard]] bool hang_bell(const Watch& watch) noexcept;

private:
    static const void* thread_token() noexcept;
    bool has_engine() const noexcept { return polling_.driver == OCTAVO_DRIVER_THREADS; }
    void tell() noexcept;
    std::uint64_t num_waiting() const noexcept {
        // acquire: who sees the number sees the requests in the ring
        return num_submitted_.load(std::memory_order_acquire) - num_handed_over_.load(std::memory_order_acquire);
    }
    std::optional<std::size_t> step() noexcept;
    std::size_t take_held(std::array<std::uint32_t, device::kMaxBatch>& numbers) noexcept;

    const Parts parts_;
    const Polling polling_;
    const std::size_t index_;
    const void* const owner_ = thread_token();
    ring::OwnedRing held_;
    Bell bell_;
    Parking* sleeper_ = nullptr;

    // Held over a batch, as an engine thread's is: fork() finds neither the executor nor OpenSSL's locks in the middle of one.
    fork::Mutex driving_{fork::Rank::engine};
    bool is_closed_ = false;  // guarded by it
    // Raised before each attempt at the mutex and after each release. Either the attempt comes before the release, whose next look then sees
    // what the thread had put in, or the attempt finds the mutex free.
    std::atomic<std::uint32_t> turns_{0};

    // each has one writer at a time: the owner, and whoever drives
    std::atomic<std::uint64_t> num_submitted_{0}, num_handed_over_{0};
    std::array<std::int32_t, 4> in_flight_by_owner_{}, in_flight_by_poller_{};  // by kind; the difference is in flight
};

}  // namespace octavo::instance
