#pragma once

#include <octavo/octavo.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/parking.hpp"
#include "request/key.hpp"
#include "request/operation.hpp"
#include "ring/ring.hpp"

namespace octavo::device {

/// How far the wake-up of a request has come. Armed to firing is the device's step, armed to disarmed the owner's; whoever comes first
/// decides. While it fires, the owner waits before it lets go of the wake-up's target. `telling` takes the place of `firing` where the
/// owner itself polled the device: whoever lets go of the target before its turn ends it.
enum class Wake : std::uint32_t { none, armed, disarmed, firing, fired, telling };

/// A place for one request. Between push and reply it is the device's, but for `cancelled` and `wake`; otherwise the owner's.
struct alignas(64) Slot {
    // written by the owner before the push
    request::Route route;
    std::uint32_t operation = 0;
    std::uint32_t input_len = 0, output_len = 0;
    std::uint64_t submitted_ns = 0;
    request::KeyRef key;
    octavo_wakeup wakeup{-1, nullptr, nullptr};
    std::atomic<bool> cancelled{false};  ///< a hint: the device need not compute it
    std::atomic<Wake> wake{Wake::none};
    // written by the device before the reply
    octavo_status status = OCTAVO_PENDING;
    // the device's own
    std::uint32_t next = 0;

    Bytes input() const noexcept { return {payload.data(), input_len}; }
    MutableBytes output() noexcept { return {payload.data(), output_len}; }
    /// What an operand or a result may have been written to.
    std::size_t used() const noexcept { return std::max(input_len, output_len); }

    /// kMaxOperand bytes for the operand, and in its place the result: secrets, wiped by the owner.
    std::span<std::uint8_t> payload;
};

/// A ring pair with its slots: what an instance and a device share.
struct Port {
    explicit Port(std::uint32_t num_slots)
        : requests(num_slots),
          replies(num_slots),
          payloads(new std::uint8_t[num_slots * request::kMaxOperand]),
          slots(new Slot[num_slots]) {
        for (std::size_t i = 0; i < num_slots; ++i)
            slots[i].payload = {&payloads[i * request::kMaxOperand], request::kMaxOperand};
    }

    /// For a child after fork(): empty rings, no descriptor. The slots stay.
    void forget() noexcept {
        requests.reset();
        replies.reset();
        reply_event.store(-1, std::memory_order_relaxed);
    }

    ring::OwnedRing requests, replies;
    std::unique_ptr<std::uint8_t[]>
        payloads;  ///< apart, and not initialised: those of slots that were never used are no memory yet
    std::unique_ptr<Slot[]> slots;
    Parking owner;                     ///< where the owner sleeps for replies
    std::atomic<int> reply_event{-1};  ///< an eventfd to which 1 is added for every batch of replies; -1: none
};

}  // namespace octavo::device
