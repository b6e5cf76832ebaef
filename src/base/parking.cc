#include "base/parking.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace octavo {

void Parking::sleep(std::uint32_t ticket, std::uint64_t timeout_ns) noexcept {
    timespec timeout{};
    timeout.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000U);
    timeout.tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000U);
    const timespec* limit = timeout_ns == kForEver ? nullptr : &timeout;
    syscall(SYS_futex, &sequence_, FUTEX_WAIT_PRIVATE, ticket, limit, nullptr, 0);
    withdraw();
}

void Parking::wake_sleeper() noexcept {
    sequence_.fetch_add(1, std::memory_order_release);
    syscall(SYS_futex, &sequence_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace octavo
