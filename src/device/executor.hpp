#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "device/cost.hpp"
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
    /// The port outlives the executor. `costs` as CostTable has them.
    explicit Executor(Port& port, const CostFigures* costs = nullptr) : port_(port), costs_(costs) {}

    /// Takes all that is queued, runs one batch, and replies. Returns the number of replies; 0 when nothing waits. Batches without an idle lane
    /// come first, the one with the oldest request before the others; then the shortest: whoever it serves goes on, and may fill a long
    /// one. A class is passed over kMostPassed times at most.
    std::size_t round(Counters::Work& counters) noexcept;

    /// From now on replies go there; null: to the owner.
    void divert(Outlet* outlet) noexcept { outlet_ = outlet; }

    /// For a child after fork(): forgets what it holds.
    void forget() noexcept { queues_ = {}; }

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
    std::uint32_t take_first(Queue& queue) noexcept;
    std::size_t run(request::Class c, Queue& queue, Counters::Work& counters) noexcept;
    void reply(std::span<const std::uint32_t> slots) noexcept;

    Port& port_;
    Outlet* outlet_ = nullptr;
    CostTable costs_;
    Scratch scratch_;
    std::array<Queue, request::kNumClasses> queues_;
};

}  // namespace octavo::device
