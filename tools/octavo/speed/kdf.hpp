#pragma once

#include "speed/operations.hpp"

/// Key derivation's side of `octavo speed`.
namespace octavo::cli {

/// One derivation, by EVP_KDF as libssl does it, or by EVP_PKEY_derive().
struct Derivation {
    const char *kdf, *digest;
    std::size_t key_len, salt_len, info_len;  ///< for a PRF: of the secret, none, and of the seed
    std::size_t out_len;
    int mode = 0;
    bool by_pkey = false;
};

class KdfOperation final : public InPlaceOperation {
public:
    KdfOperation(const char* name, const char* text, const Derivation& derivation) noexcept
        : InPlaceOperation(name, text), derivation_(derivation) {}

    SidePtr provider(std::size_t depth, bool jobs) const override;
    SidePtr openssl(Counterpart of) const override;

private:
    Derivation derivation_;
};
Operations kdf_operations();

}  // namespace octavo::cli
