#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

/// Key derivation, computed in place: what OpenSSL spends on it is mostly the way to the hash function. Inputs of any length, none of which is `out`.
/// Time depends on lengths alone; what is computed on the way is wiped.
///   digest  one that HMAC takes: no SHAKE
/// Each is false for a length of `out` that the function does not give, and when memory has run out; `out` is undefined then.
namespace octavo::bridge {

/// RFC 5869, 2.2: `out` has the digest's length. No salt is an empty one.
[[nodiscard]] bool hkdf_extract(const EVP_MD* digest, std::span<const std::uint8_t> salt,
                                std::span<const std::uint8_t> key, std::span<std::uint8_t> out) noexcept;
/// RFC 5869, 2.3: 1 byte to 255 digests.
[[nodiscard]] bool hkdf_expand(const EVP_MD* digest, std::span<const std::uint8_t> key,
                               std::span<const std::uint8_t> info, std::span<std::uint8_t> out) noexcept;
/// Both.
[[nodiscard]] bool hkdf(const EVP_MD* digest, std::span<const std::uint8_t> salt, std::span<const std::uint8_t> key,
                        std::span<const std::uint8_t> info, std::span<std::uint8_t> out) noexcept;

/// RFC 5246, 5; and RFC 2246, 5, where the digest is MD5-SHA1. `seed` begins with the label. 1 byte or more.
[[nodiscard]] bool tls1_prf(const EVP_MD* digest, std::span<const std::uint8_t> secret,
                            std::span<const std::uint8_t> seed, std::span<std::uint8_t> out) noexcept;

}  // namespace octavo::bridge
