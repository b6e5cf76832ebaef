#pragma once

#include "kernel/ec/ec.hpp"

/// The curve P-384: ec/ec.hpp has the contract.
namespace octavo::kernel::p384 {

inline constexpr std::size_t kLen = 48;

std::span<const ec::Row> rows() noexcept;

/// The first usable lane row, or null where the CPU (or an override) leaves only `ref`.
const ec::Row* lane_row() noexcept;
/// The `ref` row.
const ec::Row& ref_row() noexcept;

}  // namespace octavo::kernel::p384
