#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.hpp"

/// Ed25519, the pure form (RFC 8032, 5.1; FIPS 186-5, 7), many at a time.
///
/// Seeds and public keys are 32 bytes, signatures 64, as the standard writes them. Pointers need no alignment; outputs overlap
/// nothing. `message` may be null where `len` is 0.
namespace octavo::kernel::ed25519 {

inline constexpr std::size_t kKeyLen = 32, kSignatureLen = 64;

/// public_key = the seed's.
///   seed  secret, any 32 bytes
///   ok    false only where the row failed (`ref`: memory)
struct KeygenJob {
    const std::uint8_t* seed;
    std::uint8_t* public_key;
    bool ok;
};

/// signature = the seed's signature of the message.
///   public_key  the seed's own, which the caller guarantees: a signature with another one gives the seed's scalar away
///   ok          false only where the row failed (`ref`: memory); the signature then is all zeros
struct SignJob {
    const std::uint8_t *seed, *public_key, *message;
    std::size_t len;
    std::uint8_t* signature;
    bool ok;
};

/// ok = whether the signature is right: S < L, the public key and R canonical encodings, and [S]B = R + [k]A without a cofactor.
/// Nothing is secret.
struct VerifyJob {
    const std::uint8_t *public_key, *message;
    std::size_t len;
    const std::uint8_t* signature;
    bool ok;
};

/// One implementation; the first usable lane row is fastest, `ref` ends the table.
/// A batch is 1 to `max_batch` jobs, keys and lengths in any mix. Lane rows: no allocation; up to 48 KiB of stack, and what they leave there is wiped; the time of
/// keygen and sign depends on `count` and on each group's longest message alone.
///   group  operations that one pass through the lanes holds: costs rise in steps of it
struct Row {
    const char* name;
    cpu::Features needs;
    void (*keygen)(KeygenJob* jobs, std::size_t count) noexcept;
    void (*sign)(SignJob* jobs, std::size_t count) noexcept;
    void (*verify)(VerifyJob* jobs, std::size_t count) noexcept;
    std::size_t group, max_batch;
};
std::span<const Row> rows() noexcept;

/// The first usable lane row, or null where the CPU (or an override) leaves only `ref`.
const Row* lane_row() noexcept;
/// The `ref` row.
const Row& ref_row() noexcept;

}  // namespace octavo::kernel::ed25519
