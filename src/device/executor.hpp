#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "device/cost.hpp"
#include "device/endpoint.hpp"
#include "device/port.hpp"
#include "device/work.hpp"

namespace octavo::device {

/// Takes an executor's replies in the owner's place, who gets them when somebody polls.
class Outlet {
public:
    /// At most kMaxBatch slots, whose status is set. Called by whoever drives the executor.
    virtual void put(std::span<const std::uint32_t> slots) noexcept = 0;

protected:
    ~Outlet() = default;
};

/// The accelerator: takes what a port has queued, folds it into batches, replies. Work-conserving: it never waits for more. One thread at a time
/// drives it: the polling thread (inline) or an engine thread.
class Executor {
public:
    /// The port outlives the executor. `endpoint` is the one whose state and faults it follows; `costs` as CostTable has them.
    Executor(Port& port, unsigned endpoint, const CostFigures* costs = nullptr)
        : port_(port),
          endpoint_(endpoint),
          results_(new std::uint8_t[kMaxBatch * request::kMaxOperand]),
          costs_(costs) {}

    /// Takes all that is queued, runs one batch, and replies. Returns the number of replies; 0 when nothing waits. Batches without an idle lane
    /// come first, the one with the oldest request before the others; then the shortest: whoever it serves goes on, and may fill a long
    /// one. A class is passed over kMostPassed times at most. `stop` is not null where an engine thread drives: an injected hang then holds
    /// the thread up in the middle of a batch, until *stop.
    std::size_t round(Counters::Work& counters, const std::atomic<bool>* stop = nullptr) noexcept;

    /// Whether requests are kept back by an injected fault: nobody tells when they may go on. Asked by whoever drives.
    bool holds() const noexcept { return held_.count > 0; }

    /// Whether the endpoint has gone away: what is queued is computed elsewhere, one request a round.
    bool is_away() const noexcept { return device::is_away(endpoint_); }

    /// From now on replies go there; null: to the owner.
    void divert(Outlet* outlet) noexcept { outlet_ = outlet; }

    /// For a child after fork(): forgets what it holds.
    void forget() noexcept {
        queues_ = {};
        held_ = {};
    }

    static constexpr std::uint32_t kMostPassed = 4;

private:
    /// Requests of one class, oldest first, linked through Slot::next.
    struct Queue {
        std::uint32_t first = 0, last = 0, count = 0;
        std::uint32_t passed = 0;  // batches of others since this one's last
    };

    std::size_t take_all() noexcept;
    Queue* next() noexcept;
    bool comes_before(const Queue& left, const Queue& right) const noexcept;
    request::Class class_of(const Queue& queue) const noexcept {
        return static_cast<request::Class>(&queue - queues_.data());
    }
    void append(Queue& queue, std::uint32_t number) noexcept;
    Queue& queue_of(std::uint32_t number) noexcept;
    std::uint32_t take_first(Queue& queue) noexcept;
    std::size_t run(request::Class c, Queue& queue, Counters::Work& counters, const std::atomic<bool>* stop) noexcept;
    void conclude(std::uint32_t number, const Work& work) noexcept;
    void reply(std::span<const std::uint32_t> slots) noexcept;

    std::size_t meet_faults(Counters::Work& counters, const std::atomic<bool>* stop) noexcept;
    bool is_held_back(const Slot& slot, const std::atomic<bool>* stop) noexcept;
    bool draws_error(const Slot& slot) noexcept;
    void stall(std::uint32_t operation, const std::atomic<bool>& stop) noexcept;
    void forsake(std::uint32_t number, octavo_fallback reason, Counters::Work& counters) noexcept;

    Port& port_;
    Outlet* outlet_ = nullptr;
    const unsigned endpoint_;
    const std::unique_ptr<std::uint8_t[]> results_;  ///< of a batch, until it is known that they are wanted
    CostTable costs_;
    Scratch scratch_;
    std::array<Queue, request::kNumClasses> queues_;
    Queue held_;  ///< by an injected fault
    std::uint64_t dice_ = 0x9e3779b97f4a7c15U;
};

}  // namespace octavo::device
