#pragma once

#include <cstdint>

#include "device/counters.hpp"
#include "device/port.hpp"

/// Requests that their endpoint does not compute.
namespace octavo::device {

/// Computes a request on the portable row into `out`, and counts `reason`; without the software fallback it only answers OCTAVO_ERR_DEVICE. The
/// caller has the slot's claim.
octavo_status run_elsewhere(const Slot& slot, std::uint8_t* out, octavo_fallback reason,
                            Counters::Work& counters) noexcept;

/// Completes one request that the device has not answered, at slot `from` or behind it, and tells whoever waits for it. For any thread, one
/// at a time. Returns where to go on; num_slots where there is none any more.
std::uint32_t rescue_next(Port& port, std::uint32_t from, Counters::Work& counters) noexcept;

}  // namespace octavo::device
