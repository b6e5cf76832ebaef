#pragma once

#include <openssl/types.h>

/// The methods that the engine hands to OpenSSL. Those of RSA, DH, DSA and EC are made once in a process and kept: keys outlive the engine that made them.
namespace octavo::engine {

/// Null when memory has run out.
const RSA_METHOD* rsa_method() noexcept;
const EC_KEY_METHOD* ec_method() noexcept;
const DH_METHOD* dh_method() noexcept;
const DSA_METHOD* dsa_method() noexcept;

/// Gives an engine its methods for X25519, X448, Ed25519, HKDF and TLS1-PRF. False when memory has run out.
bool add_pkey_methods(ENGINE* engine) noexcept;
/// When the engine is destroyed; OpenSSL has freed the methods then.
void forget_pkey_methods(ENGINE* engine) noexcept;

}  // namespace octavo::engine
