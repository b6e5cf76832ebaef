#pragma once

#include "base/bytes.hpp"

/// Secret scalars for the rows of ec.hpp: fresh ones, and the nonces of ECDSA.
namespace octavo::kernel::ec {

/// A group's order and the hash that its nonces are made with.
struct Group {
    Bytes order;  ///< big-endian
    bool sha384;  ///< else SHA-256
};
extern const Group kGroupP256, kGroupP384;

/// Random bytes from OpenSSL's generator for secrets. False where it has none.
[[nodiscard]] bool random_secret(MutableBytes bytes) noexcept;

/// A uniform scalar from 1 to order - 1, as long as the order. False where there is no randomness.
[[nodiscard]] bool random_scalar(const Group& group, MutableBytes scalar) noexcept;

/// The nonce of RFC 6979, 3.2, for the private key and the digest, both as long as the order (ec.hpp, SignJob), with `extra` as
/// additional input (3.6): hedged where it is random, and different for different digests even where it is not. Constant time but for
/// the number of candidates, which tells nothing of the one that is taken.
void derive_nonce(const Group& group, Bytes scalar, Bytes digest, Bytes extra, MutableBytes nonce) noexcept;

}  // namespace octavo::kernel::ec
