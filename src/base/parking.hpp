#pragma once

#include <atomic>
#include <cstdint>

namespace octavo {

/// Where one thread sleeps until another has something for it. At most one sleeper; any thread may wake it. No wake-up is lost
/// between the sleeper's last look and its sleep:
///     auto ticket = parking.announce();
///     if (nothing to do) parking.sleep(ticket, timeout); else parking.withdraw();
class Parking {
public:
    static constexpr std::uint64_t kForEver = UINT64_MAX;

    /// Says that this thread is about to sleep. What was done before a wake() that does not see it is visible to the caller afterwards.
    [[nodiscard]] std::uint32_t announce() noexcept {
        const auto ticket = sequence_.load(std::memory_order_acquire);
        // pairs with the exchange in wake(): whichever comes second sees what was done before the first
        sleeping_.exchange(1, std::memory_order_acq_rel);
        return ticket;
    }
    void withdraw() noexcept { sleeping_.store(0, std::memory_order_relaxed); }

    /// Sleeps until woken or `timeout_ns` have passed; may also return for no reason.
    void sleep(std::uint32_t ticket, std::uint64_t timeout_ns) noexcept;

    /// Wakes the sleeper, if one has announced itself. A system call only then.
    void wake() noexcept {
        if (sleeping_.exchange(0, std::memory_order_acq_rel) != 0) wake_sleeper();
    }

private:
    void wake_sleeper() noexcept;

    std::atomic<std::uint32_t> sequence_{0};
    std::atomic<std::uint32_t> sleeping_{0};
};

}  // namespace octavo
