#pragma once

#include <openssl/core.h>

#include <memory>
#include <vector>

namespace octavo::provider {

class DefaultSide;

/// One algorithm: an operation of OpenSSL's (OSSL_OP_...), one of its names on the default side, and our functions for it.
struct Offer {
    int operation;
    const char* name;
    const OSSL_DISPATCH* functions;
    const char* description;
    /// Whether it is worth it on this machine; null: always.
    bool (*wanted)() noexcept = nullptr;
};

extern const Offer rsa_key_offer, rsa_pss_key_offer, rsa_signature_offer, asym_cipher_offer;
extern const Offer ec_key_offer, x25519_key_offer, x448_key_offer, ed25519_key_offer, ed448_key_offer;
extern const Offer dh_key_offer, dhx_key_offer, dh_offer;
extern const Offer dsa_key_offer, dsa_offer;
extern const Offer ecdh_offer, x25519_offer, x448_offer;
extern const Offer tls13_kdf_offer, hkdf_offer, tls1_prf_offer;
extern const Offer hkdf_key_offer, hkdf_exchange_offer, tls1_prf_key_offer, tls1_prf_exchange_offer;
extern const Offer ecdsa_offer, ed25519_offer, ed448_offer;
extern const Offer aes128_gcm_offer, aes192_gcm_offer, aes256_gcm_offer, chacha20_poly1305_offer;

/// What a provider offers: each algorithm under all the names that the default side has for it, and with those of our functions that the
/// default side has as well, so that an application finds the same doors open and the same doors shut.
class Offers {
public:
    /// False when memory has run out. An algorithm that the default side lacks, or that is not wanted, is left out.
    bool open(const DefaultSide& standard) noexcept;
    /// For OSSL_FUNC_PROVIDER_QUERY_OPERATION; null for an operation without any algorithm.
    const OSSL_ALGORITHM* of(int operation) const noexcept;

private:
    struct Operation {
        int number;
        std::vector<OSSL_ALGORITHM> algorithms;
    };

    void add(const DefaultSide& standard, const Offer& offer);

    std::vector<Operation> operations_;
    std::vector<std::unique_ptr<OSSL_DISPATCH[]>> tables_;
};

}  // namespace octavo::provider
