#pragma once

#include "kernel/ed25519/ed25519.hpp"

/// What the rows of the Ed25519 table are made of. Only ed25519.cc and the files that define these read this header.
namespace octavo::kernel::ed25519 {

/// The AVX512-IFMA lane row (ed25519_avx512.cc). All need a CPU with avx512f, avx512ifma, avx512bw and avx512dq.
void keygen_avx512ifma(KeygenJob* jobs, std::size_t count) noexcept;
void sign_avx512ifma(SignJob* jobs, std::size_t count) noexcept;
void verify_avx512ifma(VerifyJob* jobs, std::size_t count) noexcept;

/// The portable row (ed25519_ref.cc).
void keygen_ref(KeygenJob* jobs, std::size_t count) noexcept;
void sign_ref(SignJob* jobs, std::size_t count) noexcept;
void verify_ref(VerifyJob* jobs, std::size_t count) noexcept;

}  // namespace octavo::kernel::ed25519
