#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "speed/contexts.hpp"
#include "speed/rsa.hpp"

namespace octavo::cli {

/// The bare operation by EVP calls without padding: EVP_PKEY_decrypt() for private, EVP_PKEY_encrypt() for public ones. One context
/// for all calls, OpenSSL's blinding and fault check as in any use of it.
class RsaRaw {
public:
    RsaRaw(const RsaKey& key, bool is_private);
    /// Both of the modulus length. Failure where OpenSSL refuses.
    void run(std::span<const std::uint8_t> input, std::span<std::uint8_t> output);

private:
    bool is_private_;
    PkeyContext context_;
};

inline constexpr std::size_t kDigestLen = 32;
using Digest = std::array<std::uint8_t, kDigestLen>;

/// A signature or its verification by EVP_PKEY_sign() and EVP_PKEY_verify(): PKCS#1 v1.5 over a SHA-256 digest.
class RsaSignature {
public:
    /// `pkey` as it is held at `place`; it outlives this.
    RsaSignature(const EvpPlace& place, EVP_PKEY* pkey, bool is_private);
    /// False where OpenSSL reports an error or a wrong signature.
    bool sign(const Digest& digest, std::vector<std::uint8_t>& signature) noexcept;
    bool verify(const Digest& digest, const std::vector<std::uint8_t>& signature) noexcept;
    /// Who does it.
    const OSSL_PROVIDER* provider() const noexcept;

private:
    PkeyContext context_;
};

/// Digests and the signatures that OpenSSL's default provider makes of them.
struct SignatureData {
    std::vector<Digest> digests;
    std::vector<std::vector<std::uint8_t>> signatures;
};
SignatureData make_signature_data(const RsaKey& key, std::size_t count);

}  // namespace octavo::cli
