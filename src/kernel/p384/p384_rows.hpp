#pragma once

#include "kernel/ec/ec.hpp"

/// What the rows of the P-384 table are made of. Only p384.cc and the file that defines these read this header.
namespace octavo::kernel::p384 {

/// The AVX512-IFMA lane row (p384_avx512.cc). All need a CPU with avx512f, avx512ifma, avx512bw and avx512dq.
void keygen_avx512ifma(ec::KeygenJob* jobs, std::size_t count) noexcept;
void derive_avx512ifma(ec::DeriveJob* jobs, std::size_t count) noexcept;
void sign_avx512ifma(ec::SignJob* jobs, std::size_t count) noexcept;
void verify_avx512ifma(ec::VerifyJob* jobs, std::size_t count) noexcept;
void nonces_avx512ifma(ec::NonceJob* jobs, std::size_t count) noexcept;

}  // namespace octavo::kernel::p384
