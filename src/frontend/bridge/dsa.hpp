#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <span>

/// DSA signatures for front ends.
namespace octavo::bridge {

/// A private key's numbers, big-endian. x is secret.
///   p, q, x  without leading zeros
///   g        as long as p, less than it
struct DsaNumbers {
    std::span<const std::uint8_t> p, q, g, x;
};

inline constexpr std::size_t kMinSubgroupBytes = 20, kMaxSubgroupBytes = 64;

/// signature = r || s (FIPS 186-4, 4.6), each of q's length, for the leftmost bytes of `digest` that q has room for. g^k mod p runs by mod_exp();
/// the nonce k comes of the key, the digest and random bytes of `libctx` (BN_generate_dsa_nonce), is used once and wiped. Constant time
/// in k and x as far as OpenSSL's numbers are; what is computed of x is blinded.
/// False where OpenSSL is to do it, or the job was cancelled; leaves no error.
bool dsa_sign(const DsaNumbers& key, std::span<const std::uint8_t> digest, OSSL_LIB_CTX* libctx,
              std::span<std::uint8_t> signature) noexcept;

}  // namespace octavo::bridge
