#include "frontend/provider/default_side.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <string_view>

namespace octavo::provider {
namespace {

/// Whether `name` is one of the colon-separated `names`.
bool names_have(std::string_view names, std::string_view name) {
    while (true) {
        const auto colon = names.find(':');
        if (names.substr(0, colon) == name) return true;
        if (colon == std::string_view::npos) return false;
        names.remove_prefix(colon + 1);
    }
}

template <class Function>
void take(Function*& function, const OSSL_DISPATCH* table, int id) {
    for (; table->function_id != 0; ++table)
        if (table->function_id == id) function = reinterpret_cast<Function*>(table->function);
}

KeyFunctions key_functions(const OSSL_DISPATCH* table) {
    KeyFunctions f;
    if (table == nullptr) return f;
    take(f.create, table, OSSL_FUNC_KEYMGMT_NEW);
    take(f.free, table, OSSL_FUNC_KEYMGMT_FREE);
    take(f.gen_init, table, OSSL_FUNC_KEYMGMT_GEN_INIT);
    take(f.gen_set_template, table, OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE);
    take(f.gen_set_params, table, OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS);
    take(f.gen_settable_params, table, OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS);
    take(f.gen, table, OSSL_FUNC_KEYMGMT_GEN);
    take(f.gen_cleanup, table, OSSL_FUNC_KEYMGMT_GEN_CLEANUP);
    take(f.get_params, table, OSSL_FUNC_KEYMGMT_GET_PARAMS);
    take(f.gettable_params, table, OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS);
    take(f.set_params, table, OSSL_FUNC_KEYMGMT_SET_PARAMS);
    take(f.settable_params, table, OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS);
    take(f.has, table, OSSL_FUNC_KEYMGMT_HAS);
    take(f.match, table, OSSL_FUNC_KEYMGMT_MATCH);
    take(f.validate, table, OSSL_FUNC_KEYMGMT_VALIDATE);
    take(f.import, table, OSSL_FUNC_KEYMGMT_IMPORT);
    take(f.import_types, table, OSSL_FUNC_KEYMGMT_IMPORT_TYPES);
    take(f.export_to, table, OSSL_FUNC_KEYMGMT_EXPORT);
    take(f.export_types, table, OSSL_FUNC_KEYMGMT_EXPORT_TYPES);
    take(f.dup, table, OSSL_FUNC_KEYMGMT_DUP);
    return f;
}

SignatureFunctions signature_functions(const OSSL_DISPATCH* table) {
    SignatureFunctions f;
    if (table == nullptr) return f;
    take(f.newctx, table, OSSL_FUNC_SIGNATURE_NEWCTX);
    take(f.freectx, table, OSSL_FUNC_SIGNATURE_FREECTX);
    take(f.dupctx, table, OSSL_FUNC_SIGNATURE_DUPCTX);
    take(f.sign_init, table, OSSL_FUNC_SIGNATURE_SIGN_INIT);
    take(f.sign, table, OSSL_FUNC_SIGNATURE_SIGN);
    take(f.verify_init, table, OSSL_FUNC_SIGNATURE_VERIFY_INIT);
    take(f.verify, table, OSSL_FUNC_SIGNATURE_VERIFY);
    take(f.verify_recover_init, table, OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT);
    take(f.verify_recover, table, OSSL_FUNC_SIGNATURE_VERIFY_RECOVER);
    take(f.digest_sign_init, table, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT);
    take(f.digest_sign, table, OSSL_FUNC_SIGNATURE_DIGEST_SIGN);
    take(f.digest_verify_init, table, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT);
    take(f.digest_verify, table, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY);
    take(f.get_ctx_params, table, OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS);
    take(f.gettable_ctx_params, table, OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS);
    take(f.set_ctx_params, table, OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS);
    take(f.settable_ctx_params, table, OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS);
    return f;
}

ExchangeFunctions exchange_functions(const OSSL_DISPATCH* table) {
    ExchangeFunctions f;
    if (table == nullptr) return f;
    take(f.newctx, table, OSSL_FUNC_KEYEXCH_NEWCTX);
    take(f.freectx, table, OSSL_FUNC_KEYEXCH_FREECTX);
    take(f.dupctx, table, OSSL_FUNC_KEYEXCH_DUPCTX);
    take(f.init, table, OSSL_FUNC_KEYEXCH_INIT);
    take(f.set_peer, table, OSSL_FUNC_KEYEXCH_SET_PEER);
    take(f.derive, table, OSSL_FUNC_KEYEXCH_DERIVE);
    take(f.get_ctx_params, table, OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS);
    take(f.gettable_ctx_params, table, OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS);
    take(f.set_ctx_params, table, OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS);
    take(f.settable_ctx_params, table, OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS);
    return f;
}

CipherFunctions cipher_functions(const OSSL_DISPATCH* table) {
    CipherFunctions f;
    if (table == nullptr) return f;
    take(f.newctx, table, OSSL_FUNC_ASYM_CIPHER_NEWCTX);
    take(f.freectx, table, OSSL_FUNC_ASYM_CIPHER_FREECTX);
    take(f.dupctx, table, OSSL_FUNC_ASYM_CIPHER_DUPCTX);
    take(f.encrypt_init, table, OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT);
    take(f.encrypt, table, OSSL_FUNC_ASYM_CIPHER_ENCRYPT);
    take(f.decrypt_init, table, OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT);
    take(f.decrypt, table, OSSL_FUNC_ASYM_CIPHER_DECRYPT);
    take(f.get_ctx_params, table, OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS);
    take(f.gettable_ctx_params, table, OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS);
    take(f.set_ctx_params, table, OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS);
    take(f.settable_ctx_params, table, OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS);
    return f;
}

KdfFunctions kdf_functions(const OSSL_DISPATCH* table) {
    KdfFunctions f;
    if (table == nullptr) return f;
    take(f.newctx, table, OSSL_FUNC_KDF_NEWCTX);
    take(f.freectx, table, OSSL_FUNC_KDF_FREECTX);
    take(f.dupctx, table, OSSL_FUNC_KDF_DUPCTX);
    take(f.reset, table, OSSL_FUNC_KDF_RESET);
    take(f.derive, table, OSSL_FUNC_KDF_DERIVE);
    take(f.gettable_ctx_params, table, OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS);
    take(f.get_ctx_params, table, OSSL_FUNC_KDF_GET_CTX_PARAMS);
    take(f.settable_ctx_params, table, OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS);
    take(f.set_ctx_params, table, OSSL_FUNC_KDF_SET_CTX_PARAMS);
    return f;
}

struct Names {
    const char *key, *signature, *exchange;
};

/// In the order of KeyKind; null where such keys have no such operation.
constexpr Names kNames[kNumKeyKinds] = {
    {"RSA", "RSA", nullptr},       {"RSA-PSS", nullptr, nullptr}, {"EC", "ECDSA", "ECDH"},
    {"X25519", nullptr, "X25519"}, {"X448", nullptr, "X448"},     {"ED25519", "ED25519", nullptr},
    {"ED448", "ED448", nullptr},   {"DH", nullptr, "DH"},         {"DHX", nullptr, nullptr},
    {"DSA", "DSA", nullptr},
};

/// In the order of KdfKind.
constexpr const char* kKdfNames[kNumKdfKinds] = {"TLS13-KDF", "HKDF", "TLS1-PRF"};

}  // namespace

bool KeyFunctions::complete() const noexcept {
    return create != nullptr && free != nullptr && gen_init != nullptr && gen_set_params != nullptr &&
           gen_settable_params != nullptr && gen != nullptr && gen_cleanup != nullptr && get_params != nullptr &&
           gettable_params != nullptr && has != nullptr && match != nullptr && validate != nullptr &&
           import != nullptr && import_types != nullptr && export_to != nullptr && export_types != nullptr &&
           dup != nullptr;
}

bool SignatureFunctions::complete() const noexcept {
    return newctx != nullptr && freectx != nullptr && dupctx != nullptr && sign_init != nullptr && sign != nullptr &&
           verify_init != nullptr && verify != nullptr && verify_recover_init != nullptr && verify_recover != nullptr &&
           get_ctx_params != nullptr && gettable_ctx_params != nullptr && set_ctx_params != nullptr &&
           settable_ctx_params != nullptr;
}

bool CipherFunctions::complete() const noexcept {
    return newctx != nullptr && freectx != nullptr && dupctx != nullptr && encrypt_init != nullptr &&
           encrypt != nullptr && decrypt_init != nullptr && decrypt != nullptr && get_ctx_params != nullptr &&
           gettable_ctx_params != nullptr && set_ctx_params != nullptr && settable_ctx_params != nullptr;
}

DefaultSide::~DefaultSide() {
    digests_.close();
    if (provider_ != nullptr) OSSL_PROVIDER_unload(provider_);
    OSSL_LIB_CTX_free(libctx_);
}

const OSSL_ALGORITHM* DefaultSide::algorithm(int operation, const char* name) const noexcept {
    int no_cache = 0;
    const auto* algorithm = OSSL_PROVIDER_query_operation(provider_, operation, &no_cache);
    for (; algorithm != nullptr && algorithm->algorithm_names != nullptr; ++algorithm)
        if (names_have(algorithm->algorithm_names, name)) return algorithm;
    return nullptr;
}

const OSSL_DISPATCH* DefaultSide::functions_of(int operation, const char* name) const noexcept {
    const auto* found = name == nullptr ? nullptr : algorithm(operation, name);
    return found == nullptr ? nullptr : found->implementation;
}

bool DefaultSide::try_long_hkdf_info() const noexcept {
    const auto& hkdf = kdf(KdfKind::hkdf);
    void* const context = hkdf.newctx == nullptr ? nullptr : hkdf.newctx(provctx_);
    if (context == nullptr) return false;
    std::array<std::uint8_t, kMaxOldHkdfInfo + 1> info{};
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
                                 OSSL_PARAM_construct_end()};
    ERR_set_mark();
    const bool taken = hkdf.set_ctx_params(context, params) == 1;
    ERR_pop_to_mark();
    hkdf.freectx(context);
    return taken;
}

bool DefaultSide::open() noexcept {
    libctx_ = OSSL_LIB_CTX_new();
    if (libctx_ == nullptr) return false;
    provider_ = OSSL_PROVIDER_load(libctx_, "default");
    if (provider_ == nullptr) return false;
    provctx_ = OSSL_PROVIDER_get0_provider_ctx(provider_);
    for (std::size_t i = 0; i < kNumKeyKinds; ++i) {
        keys_[i] = key_functions(functions_of(OSSL_OP_KEYMGMT, kNames[i].key));
        signatures_[i] = signature_functions(functions_of(OSSL_OP_SIGNATURE, kNames[i].signature));
        exchanges_[i] = exchange_functions(functions_of(OSSL_OP_KEYEXCH, kNames[i].exchange));
    }
    cipher_ = cipher_functions(functions_of(OSSL_OP_ASYM_CIPHER, "RSA"));
    for (std::size_t i = 0; i < kNumKdfKinds; ++i)
        kdfs_[i] = {kdf_functions(functions_of(OSSL_OP_KDF, kKdfNames[i])),
                    exchange_functions(functions_of(OSSL_OP_KEYEXCH, kKdfNames[i])),
                    key_functions(functions_of(OSSL_OP_KEYMGMT, kKdfNames[i]))};
    takes_long_hkdf_info_ = try_long_hkdf_info();
    digests_.open(libctx_);
    return keys(KeyKind::rsa).complete() && keys(KeyKind::rsa_pss).complete() && signatures(KeyKind::rsa).complete() &&
           cipher_.complete();
}

}  // namespace octavo::provider
