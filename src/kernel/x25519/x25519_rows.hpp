#pragma once

#include "kernel/x25519/x25519.hpp"

/// What the rows of the X25519 table are made of. Only x25519.cc and the files that define these read this header.
namespace octavo::kernel::x25519 {

/// The AVX512-IFMA lane row (x25519_avx512.cc). Both need a CPU with avx512f, avx512ifma, avx512bw and avx512dq.
void keygen_avx512ifma(KeygenJob* jobs, std::size_t count) noexcept;
void derive_avx512ifma(DeriveJob* jobs, std::size_t count) noexcept;

/// The portable row (x25519_ref.cc).
void keygen_ref(KeygenJob* jobs, std::size_t count) noexcept;
void derive_ref(DeriveJob* jobs, std::size_t count) noexcept;

}  // namespace octavo::kernel::x25519
