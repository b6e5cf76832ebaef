#pragma once

#include <openssl/types.h>

/// The engine's ciphers. Made once in a process and kept, because contexts may outlive the engine.
namespace octavo::engine {

/// Null where OpenSSL has none of its own here, or memory has run out.
const EVP_CIPHER* aes128_gcm() noexcept;
const EVP_CIPHER* aes192_gcm() noexcept;
const EVP_CIPHER* aes256_gcm() noexcept;
const EVP_CIPHER* aes128_cbc_hmac_sha1() noexcept;
const EVP_CIPHER* aes256_cbc_hmac_sha1() noexcept;
const EVP_CIPHER* aes128_cbc_hmac_sha256() noexcept;
const EVP_CIPHER* aes256_cbc_hmac_sha256() noexcept;

/// Gives an engine its ciphers.
bool add_ciphers(ENGINE* engine) noexcept;

}  // namespace octavo::engine
