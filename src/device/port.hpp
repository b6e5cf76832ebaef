#pragma once

#include <octavo/octavo.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/parking.hpp"
#include "device/switches.hpp"
#include "request/key.hpp"
#include "request/operation.hpp"
#include "ring/ring.hpp"

namespace octavo::device {

/// How far the wake-up of a request has come. Armed to firing is the device's step, armed to disarmed the owner's; whoever comes first
/// decides. While it fires, the owner waits before it lets go of the wake-up's target. `telling` takes the place of `firing` where the
/// owner itself polled the device: whoever lets go of the target before its turn ends it.
enum class Wake : std::uint32_t { none, armed, disarmed, firing, fired, telling };

/// Who completes a request that is out: the device or, where its endpoint has gone away, a rescuer. From open it goes to one of them in one
/// step: that one alone writes result and status, and uses the wake-up. The device only reads operands until then, so that both may compute.
enum class Claim : std::uint32_t { none, open, device, rescuer };

/// A place for one request. Between push and reply it is the device's, but for `cancelled`, `wake` and `claim`; otherwise the owner's. Of a request
/// that was rescued the owner gets two notes, in either order: the rescuer's with the result, and the device's that the slot is free of it.
/// Zero bytes are one that was never used.
struct alignas(64) Slot {
    // written by the owner before the push
    request::Route route;
    std::uint32_t operation;
    std::uint32_t input_len, output_len;
    std::uint64_t submitted_ns;
    request::KeyRef key;
    octavo_wakeup wakeup;
    std::atomic<bool> cancelled;  ///< a hint: the device need not compute it
    std::atomic<Wake> wake;
    std::atomic<Claim> claim;
    // written by who has the claim before the reply
    octavo_status status;
    using Payload = std::array<std::uint8_t, request::kMaxOperand>;
    std::unique_ptr<Payload> rescued;  ///< the rescuer's result: the device may still read the operand
    // the device's own
    std::uint32_t next;

    Bytes input() const noexcept { return {payload.data(), input_len}; }
    MutableBytes output() noexcept { return {payload.data(), output_len}; }
    /// Where the result is, once there is one.
    const std::uint8_t* result() const noexcept { return rescued != nullptr ? rescued->data() : payload.data(); }
    /// What an operand or a result may have been written to.
    std::size_t used() const noexcept { return std::max(input_len, output_len); }

    [[nodiscard]] bool take(Claim by) noexcept {
        if (!has_health) return claim.store(by, std::memory_order_relaxed), true;  // nobody else would
        auto open = Claim::open;
        // acquire: the owner's stores before enqueueing; release: what we read of the slot comes before what the other does after losing
        return claim.compare_exchange_strong(open, by, std::memory_order_acq_rel, std::memory_order_acquire);
    }

    /// The operand, and in its place the result: secrets, wiped by the owner.
    Payload payload;
};
static_assert(static_cast<int>(Wake::none) == 0 && static_cast<int>(Claim::none) == 0);

/// Slots in pages that the system hands out as they are written to: those that are never used take no memory.
class Slots {
public:
    explicit Slots(std::uint32_t count);  // std::bad_alloc
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;
    ~Slots();
    Slot& operator[](std::size_t number) const noexcept { return slots_[number]; }

private:
    const std::size_t count_;
    Slot* const slots_;
};

/// A ring pair with its slots: what an instance and a device share.
struct Port {
    explicit Port(std::uint32_t count)
        : requests(count), replies(count), rescues(count), slots(count), num_slots(count) {}

    /// For a child after fork(): empty rings, no descriptor. The slots stay.
    void forget() noexcept {
        requests.reset();
        replies.reset();
        rescues.reset();
        reply_event.store(-1, std::memory_order_relaxed);
    }

    /// Whether the owner has something to collect.
    bool has_replies() const noexcept { return !replies.empty() || !rescues.empty(); }
    ring::OwnedRing requests, replies;
    ring::OwnedRing rescues;  ///< from the rescuer to the owner
    const Slots slots;
    const std::uint32_t num_slots;
    Parking engine;                       ///< where an engine thread sleeps for requests
    std::atomic<std::uint64_t> beats{0};  ///< of an engine thread: odd while it is in a round
    std::atomic<int> engine_thread{0};    ///< its number in the system, set before its first round
    Parking owner;                        ///< where the owner sleeps for replies
    std::atomic<int> reply_event{-1};     ///< an eventfd to which 1 is added for every batch of replies; -1: none
};

}  // namespace octavo::device
