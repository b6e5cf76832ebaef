#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/cpu.hpp"

/// Modular exponentiation with secret exponents, many at a time: what Diffie-Hellman (SP 800-56A, 5.7.1.1) and DSA (FIPS 186-4, 4.6)
/// consist of.
namespace octavo::kernel::modexp {

inline constexpr std::size_t kMaxModulusBits = 8192;
inline constexpr std::size_t kMaxModulusBytes = kMaxModulusBits / 8;

/// Lane form of a modulus: plain memory, nothing secret in it.
struct Form;

/// One operation of a batch: out = base^exponent mod n.
///   form      of the modulus, for lane rows; `modulus` for `ref`
///   base, out `len` bytes, the modulus length, big-endian; base less than the modulus (the caller has checked it); out may be base
///   exponent  `exponent_len` bytes, big-endian, at most `len`; secret, as are base and out; the length is not
///   ok        set by the row. False: memory ran out (`ref` only)
struct Job {
    const Form* form;
    Bytes modulus;
    const std::uint8_t* base;
    std::size_t len;
    const std::uint8_t* exponent;
    std::size_t exponent_len;
    std::uint8_t* out;
    bool ok;
};

/// Runs `count` jobs, 1 <= count <= the row's `max_batch`, all of one modulus length, moduli in any mix.
/// `scratch`: the row's `scratch_len` bytes, 64-byte aligned, for one batch at a time; no secret is left in it.
/// Constant time: depends on `len`, `count` and the longest `exponent_len` alone. There is nothing that a result could be checked
/// by. Lane rows: cannot fail; no allocation. The `ref` row allocates, and depends on each job's lengths.
using Batch = void(Job* jobs, std::size_t count, void* scratch) noexcept;

struct Row {
    const char* name;
    cpu::Features needs;
    Batch* run;
    std::size_t group, max_batch;
    std::size_t scratch_len;
};
std::span<const Row> rows() noexcept;
/// The first usable lane row, or null where the CPU (or an override) leaves only `ref`.
const Row* lane_row() noexcept;
/// The `ref` row: OpenSSL's constant-time exponentiation.
const Row& ref_row() noexcept;

/// Whether lanes take the modulus: odd, of exactly 2048, 3072 or 4096 bits.
bool takes_lanes(Bytes modulus) noexcept;

/// Memory for a form, 64-byte aligned.
extern const std::size_t kFormSize;
/// Computes the lane form of a modulus that lanes take. Runs on any CPU; allocates nothing.
Form* prepare(Bytes modulus, void* memory) noexcept;

}  // namespace octavo::kernel::modexp
