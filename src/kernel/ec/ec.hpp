#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.hpp"

/// The contract of the kernels for curves over a prime field (p256/, p384/): ECDSA (FIPS 186-5, 6.4), the Diffie-Hellman primitive
/// (SP 800-56A, 5.7.1.2) and key pairs, many at a time.
///
/// Every number is big-endian and as long as the field: 32 bytes for P-256, 48 for P-384. Pointers need no alignment; outputs
/// overlap nothing. Nothing needs to be in range: a row checks, and answers `ok` false for what the standard refuses,
/// with outputs all zeros. A bad job does not disturb its neighbours.
namespace octavo::kernel::ec {

/// (x, y) = scalar G.
///   scalar  secret, from 1 to n - 1
struct KeygenJob {
    const std::uint8_t* scalar;
    std::uint8_t *x, *y;
    bool ok;
};

/// shared = the x coordinate of scalar (x, y).
///   scalar  secret, from 1 to n - 1
///   x, y    the peer's point; coordinates less than p, on the curve
struct DeriveJob {
    const std::uint8_t* scalar;
    const std::uint8_t *x, *y;
    std::uint8_t* shared;
    bool ok;
};

/// An ECDSA signature.
///   digest  the leftmost bits of the hash as FIPS 186-5 (6.4.1, step 2) takes them: a longer hash cut, a shorter one with zeros in
///           front. Any value
///   scalar  the private key, from 1 to n - 1
///   nonce   secret, from 1 to n - 1, used once: NonceJob; the `ref` row draws its own and does not read it
///   ok      false also where r or s came out zero: another nonce is needed
struct SignJob {
    const std::uint8_t *digest, *scalar, *nonce;
    std::uint8_t *r, *s;
    bool ok;
};

inline constexpr std::size_t kNonceExtraLen = 32;

/// The nonce of one signature: RFC 6979, 3.2, with HMAC-SHA-256 for P-256 and HMAC-SHA-384 for P-384.
///   scalar, digest  as in SignJob
///   extra           kNonceExtraLen bytes, the additional data of RFC 6979 (3.6): hedged where they are random, and different for different
///                   digests even where they are not
///   nonce           once in 2^32 of P-256's may be out of range, as rejection is left out: signing with it is refused then
struct NonceJob {
    const std::uint8_t *scalar, *digest, *extra;
    std::uint8_t* nonce;
};

/// ok = whether (r, s) is the key's signature of the digest. Nothing is secret.
struct VerifyJob {
    const std::uint8_t *digest, *r, *s, *x, *y;
    bool ok;
};

/// One implementation of a curve; the first usable lane row is fastest, `ref` ends the table.
/// A batch is 1 to `max_batch` jobs, keys in any mix. Lane rows: no allocation; up to 96 KiB of stack, and what they leave there is wiped; the time
/// of keygen, derive and sign depends on `count` alone. The `ref` row takes OpenSSL's time, and allocates.
///   group      operations that one pass through the lanes holds: costs rise in steps of it; several groups in a batch
///              share inversions
struct Row {
    const char* name;
    cpu::Features needs;
    void (*keygen)(KeygenJob* jobs, std::size_t count) noexcept;
    void (*derive)(DeriveJob* jobs, std::size_t count) noexcept;
    void (*sign)(SignJob* jobs, std::size_t count) noexcept;
    void (*verify)(VerifyJob* jobs, std::size_t count) noexcept;
    void (*nonces)(NonceJob* jobs, std::size_t count) noexcept;
    std::size_t group, max_batch;
};

}  // namespace octavo::kernel::ec
