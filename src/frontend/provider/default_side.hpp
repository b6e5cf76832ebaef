#pragma once

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <array>

#include "frontend/bridge/curve.hpp"
#include "frontend/provider/digest.hpp"

namespace octavo::provider {

using bridge::KeyKind;
using bridge::kNumKeyKinds;

struct KeyFunctions {
    OSSL_FUNC_keymgmt_new_fn* create = nullptr;
    OSSL_FUNC_keymgmt_free_fn* free = nullptr;
    OSSL_FUNC_keymgmt_gen_init_fn* gen_init = nullptr;
    OSSL_FUNC_keymgmt_gen_set_template_fn* gen_set_template = nullptr;
    OSSL_FUNC_keymgmt_gen_set_params_fn* gen_set_params = nullptr;
    OSSL_FUNC_keymgmt_gen_settable_params_fn* gen_settable_params = nullptr;
    OSSL_FUNC_keymgmt_gen_fn* gen = nullptr;
    OSSL_FUNC_keymgmt_gen_cleanup_fn* gen_cleanup = nullptr;
    OSSL_FUNC_keymgmt_get_params_fn* get_params = nullptr;
    OSSL_FUNC_keymgmt_gettable_params_fn* gettable_params = nullptr;
    OSSL_FUNC_keymgmt_set_params_fn* set_params = nullptr;
    OSSL_FUNC_keymgmt_settable_params_fn* settable_params = nullptr;
    OSSL_FUNC_keymgmt_has_fn* has = nullptr;
    OSSL_FUNC_keymgmt_match_fn* match = nullptr;
    OSSL_FUNC_keymgmt_validate_fn* validate = nullptr;
    OSSL_FUNC_keymgmt_import_fn* import = nullptr;
    OSSL_FUNC_keymgmt_import_types_fn* import_types = nullptr;
    OSSL_FUNC_keymgmt_export_fn* export_to = nullptr;
    OSSL_FUNC_keymgmt_export_types_fn* export_types = nullptr;
    OSSL_FUNC_keymgmt_dup_fn* dup = nullptr;

    /// Whether all are there that every kind of key has: all but gen_set_template, set_params and settable_params.
    bool complete() const noexcept;
};

struct SignatureFunctions {
    OSSL_FUNC_signature_newctx_fn* newctx = nullptr;
    OSSL_FUNC_signature_freectx_fn* freectx = nullptr;
    OSSL_FUNC_signature_dupctx_fn* dupctx = nullptr;
    OSSL_FUNC_signature_sign_init_fn* sign_init = nullptr;
    OSSL_FUNC_signature_sign_fn* sign = nullptr;
    OSSL_FUNC_signature_verify_init_fn* verify_init = nullptr;
    OSSL_FUNC_signature_verify_fn* verify = nullptr;
    OSSL_FUNC_signature_verify_recover_init_fn* verify_recover_init = nullptr;
    OSSL_FUNC_signature_verify_recover_fn* verify_recover = nullptr;
    OSSL_FUNC_signature_digest_sign_init_fn* digest_sign_init = nullptr;
    OSSL_FUNC_signature_digest_sign_fn* digest_sign = nullptr;
    OSSL_FUNC_signature_digest_verify_init_fn* digest_verify_init = nullptr;
    OSSL_FUNC_signature_digest_verify_fn* digest_verify = nullptr;
    OSSL_FUNC_signature_get_ctx_params_fn* get_ctx_params = nullptr;
    OSSL_FUNC_signature_gettable_ctx_params_fn* gettable_ctx_params = nullptr;
    OSSL_FUNC_signature_set_ctx_params_fn* set_ctx_params = nullptr;
    OSSL_FUNC_signature_settable_ctx_params_fn* settable_ctx_params = nullptr;

    /// Whether all are there that RSA needs.
    bool complete() const noexcept;
};

struct ExchangeFunctions {
    OSSL_FUNC_keyexch_newctx_fn* newctx = nullptr;
    OSSL_FUNC_keyexch_freectx_fn* freectx = nullptr;
    OSSL_FUNC_keyexch_dupctx_fn* dupctx = nullptr;
    OSSL_FUNC_keyexch_init_fn* init = nullptr;
    OSSL_FUNC_keyexch_set_peer_fn* set_peer = nullptr;
    OSSL_FUNC_keyexch_derive_fn* derive = nullptr;
    OSSL_FUNC_keyexch_get_ctx_params_fn* get_ctx_params = nullptr;
    OSSL_FUNC_keyexch_gettable_ctx_params_fn* gettable_ctx_params = nullptr;
    OSSL_FUNC_keyexch_set_ctx_params_fn* set_ctx_params = nullptr;
    OSSL_FUNC_keyexch_settable_ctx_params_fn* settable_ctx_params = nullptr;
};

struct CipherFunctions {
    OSSL_FUNC_asym_cipher_newctx_fn* newctx = nullptr;
    OSSL_FUNC_asym_cipher_freectx_fn* freectx = nullptr;
    OSSL_FUNC_asym_cipher_dupctx_fn* dupctx = nullptr;
    OSSL_FUNC_asym_cipher_encrypt_init_fn* encrypt_init = nullptr;
    OSSL_FUNC_asym_cipher_encrypt_fn* encrypt = nullptr;
    OSSL_FUNC_asym_cipher_decrypt_init_fn* decrypt_init = nullptr;
    OSSL_FUNC_asym_cipher_decrypt_fn* decrypt = nullptr;
    OSSL_FUNC_asym_cipher_get_ctx_params_fn* get_ctx_params = nullptr;
    OSSL_FUNC_asym_cipher_gettable_ctx_params_fn* gettable_ctx_params = nullptr;
    OSSL_FUNC_asym_cipher_set_ctx_params_fn* set_ctx_params = nullptr;
    OSSL_FUNC_asym_cipher_settable_ctx_params_fn* settable_ctx_params = nullptr;

    bool complete() const noexcept;
};

struct KdfFunctions {
    OSSL_FUNC_kdf_newctx_fn* newctx = nullptr;
    OSSL_FUNC_kdf_freectx_fn* freectx = nullptr;
    OSSL_FUNC_kdf_dupctx_fn* dupctx = nullptr;
    OSSL_FUNC_kdf_reset_fn* reset = nullptr;
    OSSL_FUNC_kdf_derive_fn* derive = nullptr;
    OSSL_FUNC_kdf_gettable_ctx_params_fn* gettable_ctx_params = nullptr;
    OSSL_FUNC_kdf_get_ctx_params_fn* get_ctx_params = nullptr;
    OSSL_FUNC_kdf_settable_ctx_params_fn* settable_ctx_params = nullptr;
    OSSL_FUNC_kdf_set_ctx_params_fn* set_ctx_params = nullptr;
};

enum class KdfKind { tls13, hkdf, tls1_prf };
inline constexpr std::size_t kNumKdfKinds = 3;

/// The default provider in a library context of its own, and the functions by which it does what Octavo offers. Every key and every
/// operation context of ours has its twin there: the twin keeps the numbers and the parameters, so that they behave, and
/// fail, as the default provider's do in whichever version of OpenSSL runs; and it does what the fast path does not.
class DefaultSide {
public:
    DefaultSide() = default;
    ~DefaultSide();
    DefaultSide(const DefaultSide&) = delete;
    DefaultSide& operator=(const DefaultSide&) = delete;

    [[nodiscard]] bool open() noexcept;

    OSSL_LIB_CTX* libctx() const noexcept { return libctx_; }
    /// The first argument of its functions that make things.
    void* provctx() const noexcept { return provctx_; }
    const Digests& digests() const noexcept { return digests_; }

    const KeyFunctions& keys(KeyKind kind) const noexcept { return keys_[static_cast<std::size_t>(kind)]; }
    const SignatureFunctions& signatures(KeyKind kind) const noexcept {
        return signatures_[static_cast<std::size_t>(kind)];
    }
    const ExchangeFunctions& exchanges(KeyKind kind) const noexcept {
        return exchanges_[static_cast<std::size_t>(kind)];
    }
    const CipherFunctions& cipher() const noexcept { return cipher_; }
    const KdfFunctions& kdf(KdfKind kind) const noexcept { return kdfs_[static_cast<std::size_t>(kind)].kdf; }
    /// As EVP_PKEY_derive() has it; all null where it has not.
    const ExchangeFunctions& kdf_exchange(KdfKind kind) const noexcept {
        return kdfs_[static_cast<std::size_t>(kind)].exchange;
    }
    /// What HKDF takes of info, in bytes: OpenSSL 3, and its first versions.
    static constexpr std::size_t kMaxHkdfInfo = 32 * 1024, kMaxOldHkdfInfo = 2048;
    bool takes_long_hkdf_info() const noexcept { return takes_long_hkdf_info_; }
    const KeyFunctions& kdf_keys(KdfKind kind) const noexcept { return kdfs_[static_cast<std::size_t>(kind)].keys; }
    /// Its entry for one of an algorithm's names; null where this build of OpenSSL has none.
    const OSSL_ALGORITHM* algorithm(int operation, const char* name) const noexcept;
    /// What it can do besides operations: 1 when `callback` has seen all of it.
    int capabilities(const char* capability, OSSL_CALLBACK* callback, void* argument) const noexcept {
        return OSSL_PROVIDER_get_capabilities(provider_, capability, callback, argument);
    }

private:
    bool try_long_hkdf_info() const noexcept;
    const OSSL_DISPATCH* functions_of(int operation, const char* name) const noexcept;

    OSSL_LIB_CTX* libctx_ = nullptr;
    OSSL_PROVIDER* provider_ = nullptr;
    void* provctx_ = nullptr;
    Digests digests_;
    std::array<KeyFunctions, kNumKeyKinds> keys_;
    std::array<SignatureFunctions, kNumKeyKinds> signatures_;
    std::array<ExchangeFunctions, kNumKeyKinds> exchanges_;
    CipherFunctions cipher_;
    struct KdfSide {
        KdfFunctions kdf;
        ExchangeFunctions exchange;
        KeyFunctions keys;
    };
    std::array<KdfSide, kNumKdfKinds> kdfs_;
    bool takes_long_hkdf_info_ = false;
};

}  // namespace octavo::provider
