#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.hpp"

/// X25519 (RFC 7748, 5 and 6.1), many at a time.
///
/// All operands and results are 32 bytes as the standard writes them. Pointers need no alignment; outputs overlap nothing.
namespace octavo::kernel::x25519 {

inline constexpr std::size_t kLen = 32;

/// public_key = scalar 9.
///   scalar  secret, any 32 bytes; clamped here
///   ok      false only where the row failed (`ref`: memory)
struct KeygenJob {
    const std::uint8_t* scalar;
    std::uint8_t* public_key;
    bool ok;
};

/// shared = scalar u.
///   scalar  secret, any 32 bytes; clamped here
///   u       the peer's coordinate, any 32 bytes: the top bit is ignored, 2^255 - 19 and more is reduced
///   ok      false where the result is all zeros (a point of small order), which RFC 8446 (7.4.2) refuses; `shared` then is
///           all zeros. Whether that is so is no secret
struct DeriveJob {
    const std::uint8_t *scalar, *u;
    std::uint8_t* shared;
    bool ok;
};

/// One implementation; the first usable lane row is fastest, `ref` ends the table.
/// A batch is 1 to `max_batch` jobs. Lane rows: no allocation; up to 48 KiB of stack, and what they leave there is wiped; their time depends on `count` alone.
///   group  operations that one pass through the lanes holds: costs rise in steps of it
struct Row {
    const char* name;
    cpu::Features needs;
    void (*keygen)(KeygenJob* jobs, std::size_t count) noexcept;
    void (*derive)(DeriveJob* jobs, std::size_t count) noexcept;
    std::size_t group, max_batch;
};
std::span<const Row> rows() noexcept;

/// The first usable lane row, or null where the CPU (or an override) leaves only `ref`.
const Row* lane_row() noexcept;
/// The `ref` row.
const Row& ref_row() noexcept;

}  // namespace octavo::kernel::x25519
