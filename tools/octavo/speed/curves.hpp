#pragma once

#include <cstddef>
#include <span>

#include "speed/side.hpp"

/// The curves' side of `octavo speed`, as far as the kernels go.
namespace octavo::cli {

/// An operation on a curve, by a kernel row and by OpenSSL.
///   lanes          the lane row (`ref` where none runs here), called with `depth` jobs
///   openssl        the same by EVP calls of OpenSSL's default provider, one at a time, its key and peer set up before
///   multiply_adds  vector multiply-adds (vpmadd52, eight lanes each) that one operation needs, lanes full, inversions not shared: counted
///                  from the formulas of src/kernel
struct CurveOperation {
    const char* name;
    const char* text;
    SidePtr (*lanes)(std::size_t depth);
    SidePtr (*openssl)();
    double multiply_adds;
};
std::span<const CurveOperation> curve_operations() noexcept;

SidePtr p256_sign_side(std::size_t depth), p256_verify_side(std::size_t depth), p256_derive_side(std::size_t depth),
    p256_keygen_side(std::size_t depth), p384_sign_side(std::size_t depth), p384_verify_side(std::size_t depth),
    p384_derive_side(std::size_t depth), p384_keygen_side(std::size_t depth), x25519_derive_side(std::size_t depth),
    x25519_keygen_side(std::size_t depth), ed25519_sign_side(std::size_t depth), ed25519_verify_side(std::size_t depth),
    ed25519_keygen_side(std::size_t depth);

/// `type` and `group` as EVP_PKEY_CTX_new_from_name and OSSL_PKEY_PARAM_GROUP_NAME take them; no group for X25519 and Ed25519.
SidePtr openssl_sign_side(const char*type, const char*group), openssl_verify_side(const char*type, const char*group),
    openssl_derive_side(const char*type, const char*group), openssl_keygen_side(const char*type, const char*group);

}  // namespace octavo::cli
