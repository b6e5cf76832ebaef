#include "instance/polled.hpp"

#include <mutex>

namespace octavo::instance {

using device::HandOver;
using device::kMaxBatch;

Polled::Polled(const Parts& parts, std::uint32_t num_slots, const Polling& polling, std::size_t index)
    : parts_(parts), polling_(polling), index_(index), held_(num_slots) {}

/// Tells threads apart, also in their last moments.
const void* Polled::thread_token() noexcept {
    thread_local const char token = 0;
    return &token;
}

bool Polled::pending() const noexcept { return has_engine() ? holds_replies() : num_waiting() != 0; }

void Polled::tell() noexcept {
    if (sleeper_ != nullptr) sleeper_->wake();
    bell_.ring();
}

void Polled::submitted(octavo_in_flight kind) noexcept {
    ++in_flight_by_owner_[kind];
    add_in_flight(kind, 1);
    // release: the request is in the ring first
    num_submitted_.store(num_submitted_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    if (!has_engine()) tell();
}

void Polled::put(std::span<const std::uint32_t> slots) noexcept {
    for (const auto number : slots) held_.push(number);
    if (!has_engine()) return;
    parts_.port.owner.wake();
    tell();
}

std::size_t Polled::poll(std::size_t most) noexcept {
    std::size_t count = 0;
    do {
        const auto some = step();
        if (!some) return count;
        if (*some == 0) break;  // what waits is kept back by a fault
        count += *some;
    } while (count < most && pending());
    if (pending()) tell();
    return count;
}

/// One batch: how many were handed over. Nothing where another thread drives, or there is no device any more.
std::optional<std::size_t> Polled::step() noexcept {
    turns_.fetch_add(1, std::memory_order_acq_rel);
    std::unique_lock lock{driving_, std::try_to_lock};
    if (!lock || is_closed_) return std::nullopt;
    bell_.silence();
    if (!has_engine() && held_.empty()) parts_.executor.round(parts_.counters);
    std::array<std::uint32_t, kMaxBatch> numbers;
    const auto count = take_held(numbers);
    HandOver replies{parts_.port, {numbers.data(), count}, is_mine() ? HandOver::By::owner : HandOver::By::other};
    lock.unlock();
    turns_.fetch_add(1, std::memory_order_acq_rel);
    replies.wake();
    return count;
}

std::size_t Polled::take_held(std::array<std::uint32_t, kMaxBatch>& numbers) noexcept {
    std::size_t count = 0;
    while (count < numbers.size() && held_.pop(numbers[count]) == ring::Pop::item) {
        const auto kind = kind_of(parts_.port.slots[numbers[count]].operation);
        ++in_flight_by_poller_[kind];
        add_in_flight(kind, -1);
        ++count;
    }
    num_handed_over_.store(num_handed_over_.load(std::memory_order_relaxed) + count, std::memory_order_release);
    return count;
}

bool Polled::hang_bell(const Watch& watch) noexcept {
    if (!bell_.hang(watch)) return false;
    if (pending()) bell_.ring();
    return true;
}

void Polled::close() noexcept {
    const std::lock_guard lock{driving_};
    is_closed_ = true;
    bell_.take_down();
    for (std::size_t kind = 1; kind < in_flight_by_owner_.size(); ++kind)
        add_in_flight(static_cast<octavo_in_flight>(kind), in_flight_by_poller_[kind] - in_flight_by_owner_[kind]);
}

}  // namespace octavo::instance
