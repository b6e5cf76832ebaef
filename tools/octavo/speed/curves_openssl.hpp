#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "speed/contexts.hpp"
#include "speed/curves.hpp"

namespace octavo::cli {

using Bytes = std::vector<std::uint8_t>;
using MdContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

/// Generates key pairs on the curve.
PkeyContext curve_keygen_context(const EvpPlace& place, const Curve& curve);
/// A key pair in the default context.
Pkey make_curve_key(const Curve& curve);
/// Derives from `key`, with `peer`; both as they are held at `place`. Secrets have the length of the group.
PkeyContext derive_context(const EvpPlace& place, EVP_PKEY* key, EVP_PKEY* peer);
/// The shared secret of two key pairs of the default context.
Bytes derived_secret(EVP_PKEY* key, EVP_PKEY* peer);

/// As octavo_ec_key takes them.
Bytes curve_private_bytes(const EVP_PKEY* pair, const Curve& curve);
Bytes curve_public_bytes(const EVP_PKEY* pair);

/// Whether `pair`, private || public, is a key pair: OpenSSL computes the public key anew.
bool curve_pair_is_right(const Bytes& pair, const Curve& curve);

/// kMessageLen random bytes.
Bytes random_message();

/// Signatures or verifications by one EVP context: ECDSA and DSA of a digest (EVP_PKEY_sign), Ed25519 of a message (EVP_DigestSign).
class EvpSignature {
public:
    /// `pkey` as it is held at `place`; it outlives this.
    EvpSignature(const EvpPlace& place, EVP_PKEY* pkey, bool signs);
    /// False where OpenSSL reports an error or a wrong signature. ECDSA's and DSA's signatures are DER.
    bool sign(const Bytes& message, Bytes& signature) noexcept;
    bool verify(const Bytes& message, const Bytes& signature) noexcept;
    const OSSL_PROVIDER* provider() const noexcept;

private:
    PkeyContext of_digest_;
    MdContext of_message_;
    std::size_t max_len_;
};

}  // namespace octavo::cli
