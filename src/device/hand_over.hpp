#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "device/port.hpp"
#include "device/work.hpp"

namespace octavo::device {

/// A batch of replies on its way to the owner, in two steps, between which a lock may be let go: the replies are put into the ring, then their
/// waiters are woken. All replies are visible before the first wake-up: whoever it wakes on this core finds the whole batch.
class HandOver {
public:
    /// Requests that a rescuer completes go to its own ring; of these the device only gives the slots back, and wakes nobody. From another thread, wake-ups are in state `firing` from here on, and the owner waits for their end. The owner's own must not wait for
    /// itself: they are `telling`.
    enum class By { other, owner, rescuer };

    /// At most kMaxBatch slots, whose status is set.
    HandOver(Port& port, std::span<const std::uint32_t> slots, By by) noexcept;
    HandOver(const HandOver&) = delete;
    HandOver& operator=(const HandOver&) = delete;

    /// Once.
    void wake() noexcept;

private:
    By by_;
    std::size_t count_ = 0;
    std::array<Slot*, kMaxBatch> to_wake_;
};

}  // namespace octavo::device
