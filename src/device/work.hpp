#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <span>

#include "device/cost.hpp"
#include "device/counters.hpp"
#include "device/scratch.hpp"
#include "request/key.hpp"
#include "request/operation.hpp"

namespace octavo::device {

/// One operation ready to run: checked operands in memory that nobody else touches meanwhile.
struct Work {
    const request::Key* key;
    request::Route route;
    std::uint32_t operation;
    Bytes in;
    MutableBytes out;                       ///< exactly the result's bytes; may be at `in`
    octavo_status status = OCTAVO_PENDING;  ///< set by the run: OCTAVO_OK or an error
};

/// Curves share an inversion among all operations of a batch; beyond four passes that brings nothing more.
inline constexpr std::size_t kMaxBatch = 32;

/// Runs 1 to kMaxBatch operations of one lane class on the lane row. A result that fails its check is computed again on the portable row,
/// and counted.
void run_lanes(std::span<Work> batch, const Scratch& scratch, Counters::Work& counters) noexcept;

/// Runs one operation on the portable row, and counts why.
void run_portable(Work& work, Counters::Work& counters) noexcept;

/// Runs one operation by the cheapest plan for one, and learns what it cost.
void run_alone(Work& work, CostTable& costs, const Scratch& scratch, Counters::Work& counters) noexcept;

}  // namespace octavo::device
