#pragma once

#include <openssl/evp.h>

#include "frontend/provider/padding.hpp"

/// EMSA-PSS (RFC 8017, 9.1) for a modulus of `bits` bits, em.size() == ceil(bits / 8) bytes.
namespace octavo::provider {

/// How a salt's length is said in OpenSSL's parameters, where it is negative (rsa.h, and one of later versions).
inline constexpr int kSaltDigest = -1;
inline constexpr int kSaltAuto = -2;
inline constexpr int kSaltMax = -3;
inline constexpr int kSaltAutoDigestMax = -4;

struct PssShape {
    const Digest* digest;
    const Digest* mgf1;
    std::size_t bits;
    int salt_len;
};

/// Bytes that a signature will use, of which there are `salt_room` at most: -1 where there is no room, or no such length.
int pss_signing_salt_len(const PssShape& shape) noexcept;

/// Encodes a digest of shape.digest->len bytes. `salt` is random.
/// False where the salt or the digest does not fit, or a digest context fails. Time depends on lengths alone.
[[nodiscard]] bool pss_encode(EVP_MD_CTX* scratch, const PssShape& shape, Bytes digest, Bytes salt, Buffer em) noexcept;

/// Whether `em`, a signature to the public exponent, is an encoding of the digest. Overwrites em. For public data.
[[nodiscard]] bool pss_verify(EVP_MD_CTX* scratch, const PssShape& shape, Bytes digest, Buffer em) noexcept;

}  // namespace octavo::provider
