#pragma once

#include "device/work.hpp"

/// Lane batches, one function for each operation: gathers operands from the keys, runs the row, and hands the results out. All the work
/// is of one class. What the row refuses or finds wrong is answered, or computed again on the portable row and counted.
namespace octavo::device {

using LaneBatch = void(std::span<Work> batch, const Scratch& scratch, Counters::Work& counters) noexcept;

LaneBatch run_rsa_lanes, run_modexp_lanes;
LaneBatch sign_p256_lanes, verify_p256_lanes, derive_p256_lanes, generate_p256_lanes;
LaneBatch sign_p384_lanes, verify_p384_lanes, derive_p384_lanes, generate_p384_lanes;
LaneBatch derive_x25519_lanes, generate_x25519_lanes;
LaneBatch sign_ed25519_lanes, verify_ed25519_lanes, generate_ed25519_lanes;

/// Runs one operation on the portable row, without counting. A signature that is to be checked and fails twice is
/// OCTAVO_ERR_OPERATION_FAILED, and its place is wiped.
void run_on_ref_row(Work& work) noexcept;

}  // namespace octavo::device
