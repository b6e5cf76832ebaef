#include "device/hand_over.hpp"

#include <unistd.h>

namespace octavo::device {
namespace {

void signal_event(int fd) noexcept {
    const std::uint64_t one = 1;
    // an eventfd write fails only where the count is full, and then it is readable already
    [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
}

void use(const octavo_wakeup& wakeup) noexcept {
    if (wakeup.call != nullptr) wakeup.call(wakeup.argument);
    if (wakeup.fd >= 0) signal_event(wakeup.fd);
}

}  // namespace

HandOver::HandOver(Port& port, std::span<const std::uint32_t> slots, By by) noexcept : by_(by) {
    const auto begun = by == By::owner ? Wake::telling : Wake::firing;
    const auto claim = by == By::rescuer ? Claim::rescuer : Claim::device;
    auto& ring = by == By::rescuer ? port.rescues : port.replies;
    for (const auto number : slots) {
        auto& slot = port.slots[number];
        if (slot.claim.load(std::memory_order_relaxed) != claim) continue;
        auto armed = Wake::armed;
        if (slot.wake.compare_exchange_strong(armed, begun, std::memory_order_acq_rel)) to_wake_[count_++] = &slot;
    }
    for (const auto number : slots) ring.push(number);
    port.owner.wake();
    if (const int event = port.reply_event.load(std::memory_order_acquire); event >= 0) signal_event(event);
}

void HandOver::wake() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        auto& slot = *to_wake_[i];
        if (by_ != By::owner) {
            use(slot.wakeup);
            slot.wake.store(Wake::fired, std::memory_order_release);  // our last use of the wake-up comes first
        } else if (slot.wake.load(std::memory_order_relaxed) == Wake::telling) {
            // an earlier waiter may have fetched this reply, or given it up, or use the slot again
            const auto wakeup = slot.wakeup;
            slot.wake.store(Wake::fired, std::memory_order_relaxed);
            use(wakeup);
        }
    }
}

}  // namespace octavo::device
