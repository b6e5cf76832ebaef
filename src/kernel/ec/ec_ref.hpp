#pragma once

#include "kernel/ec/ec.hpp"

/// The portable rows of ec.hpp (ec_ref.cc).
namespace octavo::kernel::ec {

enum class RefCurve { p256, p384 };

/// The signature's nonce is OpenSSL's own; the job's is not read.
template <RefCurve>
void keygen_ref(KeygenJob* jobs, std::size_t count) noexcept;
template <RefCurve>
void derive_ref(DeriveJob* jobs, std::size_t count) noexcept;
template <RefCurve>
void sign_ref(SignJob* jobs, std::size_t count) noexcept;
template <RefCurve>
void verify_ref(VerifyJob* jobs, std::size_t count) noexcept;
template <RefCurve>
void nonces_ref(NonceJob* jobs, std::size_t count) noexcept;

}  // namespace octavo::kernel::ec
