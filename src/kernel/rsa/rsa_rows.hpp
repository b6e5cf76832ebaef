#pragma once

#include "kernel/rsa/rsa.hpp"

/// What the rows of the RSA table are made of. Only rsa.cc and the files that define these read this header.
namespace octavo::kernel::rsa {

/// The AVX512-IFMA lane row (rsa_avx512.cc). Both need a CPU with avx512f, avx512ifma, avx512bw and avx512dq.
Batch run_public_avx512ifma, run_private_avx512ifma;

/// Scratch memory of the lane row: large, as stacks of fibres are small.
inline constexpr std::size_t kLaneScratchLen = 126 * 1024;

/// The portable row (rsa_ref.cc).
Batch run_public_ref, run_private_ref;

/// Shapes of the lane forms: modulus odd and of exactly 2048, 3072 or 4096 bits, e odd, 3 <= e < 2^32; a private key has
/// two primes of exactly half the modulus size, and all five CRT values.
bool takes_public_lanes(const Components& key) noexcept;
bool takes_private_lanes(const Components& key) noexcept;

}  // namespace octavo::kernel::rsa
