#include "device/rescue.hpp"

#include <new>

#include "device/endpoint.hpp"
#include "device/hand_over.hpp"
#include "device/work.hpp"

namespace octavo::device {
namespace {

/// The device may still read the operand: the result gets memory of its own.
void compute(Slot& slot, Counters::Work& counters) noexcept {
    slot.rescued.reset(new (std::nothrow) Slot::Payload);
    slot.status = slot.rescued == nullptr
                      ? OCTAVO_ERR_NO_MEMORY
                      : run_elsewhere(slot, slot.rescued->data(), OCTAVO_FALLBACK_ENDPOINT, counters);
}

void rescue(Port& port, std::uint32_t number, Counters::Work& counters) noexcept {
    auto& slot = port.slots[number];
    compute(slot, counters);
    HandOver{port, {&number, 1}, HandOver::By::rescuer}.wake();
}

}  // namespace

octavo_status run_elsewhere(const Slot& slot, std::uint8_t* out, octavo_fallback reason,
                            Counters::Work& counters) noexcept {
    if (slot.cancelled.load(std::memory_order_relaxed)) return OCTAVO_CANCELLED;
    if (!software_fallback()) return OCTAVO_ERR_DEVICE;
    auto route = slot.route;
    route.where = request::Class::portable;
    route.reason = reason;
    Work work{&*slot.key, route, slot.operation, slot.input(), {out, slot.output_len}};
    run_portable(work, counters);
    return work.status;
}

std::uint32_t rescue_next(Port& port, std::uint32_t from, Counters::Work& counters) noexcept {
    for (; from < port.num_slots; ++from) {
        auto& slot = port.slots[from];
        // a plain look first: the exchange would take the line from whoever works with the slot
        if (slot.claim.load(std::memory_order_relaxed) != Claim::open || !slot.take(Claim::rescuer)) continue;
        rescue(port, from, counters);
        return from + 1;
    }
    return from;
}

}  // namespace octavo::device
