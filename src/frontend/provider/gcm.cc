#include "frontend/bridge/gcm.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <new>

#include "frontend/bridge/aligned_new.hpp"
#include "frontend/bridge/cpu.hpp"
#include "frontend/provider/aead.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/provider.hpp"

// The functions of OSSL_OP_CIPHER for AES-GCM. There is no twin: a message costs less than the default provider takes to look at its
// parameters.
namespace octavo::provider {
namespace {

using bridge::Gcm;

struct Context : bridge::AlignedNew {
    const Provider& provider;
    Gcm gcm;

    Context(const Provider& of, std::size_t key_len) noexcept : provider(of), gcm(key_len, of.standard.libctx()) {}
    int fail(Reason reason, const char* where) const noexcept { return provider.errors.raise(reason, where); }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

template <std::size_t kKeyLen>
void* newctx(void* provctx) {
    std::unique_ptr<Context> context(new (std::nothrow) Context(*static_cast<const Provider*>(provctx), kKeyLen));
    return context != nullptr && context->gcm.good() ? context.release() : nullptr;
}

void freectx(void* context) { delete static_cast<Context*>(context); }
void* dupctx(void* context) { return new (std::nothrow) Context(context_of(context)); }

int set_tag(Context& self, const OSSL_PARAM& param) {
    if (!is_bytes(param) || param.data_size > Gcm::kTagLen) return self.fail(Reason::bad_parameter, __func__);
    return self.gcm.set_tag(bytes_of(param)) ? 1 : self.fail(Reason::invalid_tag, __func__);
}

int set_iv_len(Context& self, const OSSL_PARAM& param) {
    std::size_t len = 0;
    if (OSSL_PARAM_get_size_t(&param, &len) != 1) return self.fail(Reason::bad_parameter, __func__);
    return self.gcm.set_iv_len(len) ? 1 : self.fail(Reason::invalid_iv_length, __func__);
}

int set_tls_aad(Context& self, const OSSL_PARAM& param) {
    if (!is_bytes(param)) return self.fail(Reason::bad_parameter, __func__);
    return self.gcm.set_tls_aad(bytes_of(param)) != 0 ? 1 : self.fail(Reason::invalid_aad, __func__);
}

int set_fixed_iv(Context& self, const OSSL_PARAM& param) {
    if (is_bytes(param) && self.gcm.set_fixed_iv(static_cast<const std::uint8_t*>(param.data), param.data_size))
        return 1;
    return self.fail(Reason::bad_parameter, __func__);
}

int set_invocation(Context& self, const OSSL_PARAM& param) {
    return is_bytes(param) && self.gcm.set_invocation(bytes_of(param)) ? 1 : 0;
}

int get_iv_len(Context& self, OSSL_PARAM& param) { return get_number(self, param, self.gcm.iv_len()); }
int get_key_len(Context& self, OSSL_PARAM& param) { return get_number(self, param, self.gcm.key_len()); }
int get_tag_len(Context& self, OSSL_PARAM& param) { return get_number(self, param, self.gcm.tag_len()); }
int get_tls_pad(Context& self, OSSL_PARAM& param) { return get_number(self, param, self.gcm.tls_pad()); }

int get_iv(Context& self, OSSL_PARAM& param) {
    const auto iv = self.gcm.iv();
    if (iv.empty()) return 0;
    if (iv.size() > param.data_size) return self.fail(Reason::invalid_iv_length, __func__);
    if (OSSL_PARAM_set_octet_string(&param, iv.data(), iv.size()) == 1 ||
        OSSL_PARAM_set_octet_ptr(&param, iv.data(), iv.size()) == 1)
        return 1;
    return self.fail(Reason::parameter_not_set, __func__);
}

int get_tag(Context& self, OSSL_PARAM& param) {
    std::array<std::uint8_t, Gcm::kTagLen> tag;
    const auto len = param.data_size;
    if (len > tag.size() || !self.gcm.get_tag({tag.data(), len})) return self.fail(Reason::invalid_tag, __func__);
    if (OSSL_PARAM_set_octet_string(&param, tag.data(), len) == 1) return 1;
    return self.fail(Reason::parameter_not_set, __func__);
}

int get_next_iv(Context& self, OSSL_PARAM& param) {
    return is_bytes(param) && self.gcm.next_iv(static_cast<std::uint8_t*>(param.data), param.data_size) ? 1 : 0;
}

constexpr Parameter<Context, const OSSL_PARAM> kSettable[] = {
    {OSSL_CIPHER_PARAM_AEAD_TAG, set_tag},
    {OSSL_CIPHER_PARAM_AEAD_IVLEN, set_iv_len},
    {OSSL_CIPHER_PARAM_AEAD_TLS1_AAD, set_tls_aad},
    {OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, set_fixed_iv},
    {OSSL_CIPHER_PARAM_AEAD_TLS1_SET_IV_INV, set_invocation},
};
constexpr Parameter<Context, OSSL_PARAM> kGettable[] = {
    {OSSL_CIPHER_PARAM_IVLEN, get_iv_len},        {OSSL_CIPHER_PARAM_KEYLEN, get_key_len},
    {OSSL_CIPHER_PARAM_AEAD_TAGLEN, get_tag_len}, {OSSL_CIPHER_PARAM_IV, get_iv},
    {OSSL_CIPHER_PARAM_UPDATED_IV, get_iv},       {OSSL_CIPHER_PARAM_AEAD_TLS1_AAD_PAD, get_tls_pad},
    {OSSL_CIPHER_PARAM_AEAD_TAG, get_tag},        {OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, get_next_iv},
};

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    return run_parameters(context_of(context), params, kSettable);
}
int get_ctx_params(void* context, OSSL_PARAM params[]) {
    return run_parameters(context_of(context), params, kGettable);
}

const OSSL_PARAM* settable_ctx_params(void*, void*) {
    static const OSSL_PARAM table[] = {OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, nullptr),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_AAD, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_SET_IV_INV, nullptr, 0),
                                       OSSL_PARAM_END};
    return table;
}

const OSSL_PARAM* gettable_ctx_params(void*, void*) {
    static const OSSL_PARAM table[] = {OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_TAGLEN, nullptr),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_IV, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_UPDATED_IV, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, 0),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_TLS1_AAD_PAD, nullptr),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, nullptr, 0),
                                       OSSL_PARAM_END};
    return table;
}

template <bool kEncrypts>
int init(void* context, const unsigned char* key, size_t key_len, const unsigned char* iv, size_t iv_len,
         const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    self.gcm.set_direction(kEncrypts);
    if (iv != nullptr && !self.gcm.set_iv({iv, iv_len})) return self.fail(Reason::invalid_iv_length, __func__);
    if (key != nullptr) {
        if (key_len != self.gcm.key_len()) return self.fail(Reason::invalid_key_length, __func__);
        self.gcm.set_key(key);
    }
    return set_ctx_params(context, params);
}

int update(void* context, unsigned char* out, size_t* out_len, size_t capacity, const unsigned char* in, size_t len) {
    auto& self = context_of(context);
    if (len == 0) {
        *out_len = 0;
        return 1;
    }
    if (capacity < len) return self.fail(Reason::output_too_small, __func__);
    return self.gcm.update(out, in, len, *out_len) ? 1 : self.fail(Reason::cipher_failed, __func__);
}

int final(void* context, unsigned char*, size_t* out_len, size_t) {
    *out_len = 0;
    return context_of(context).gcm.final() ? 1 : 0;
}

int cipher(void* context, unsigned char* out, size_t* out_len, size_t capacity, const unsigned char* in, size_t len) {
    auto& self = context_of(context);
    if (capacity < len) return self.fail(Reason::output_too_small, __func__);
    std::size_t done = 0;
    if (!(in == nullptr ? self.gcm.final() : self.gcm.update(out, in, len, done))) return 0;
    *out_len = len;
    return 1;
}

/// Of the algorithm.
template <std::size_t kKeyLen>
int get_params(OSSL_PARAM params[]) {
    return get_aead_params(params, EVP_CIPH_GCM_MODE, kKeyLen);
}

template <std::size_t kKeyLen>
const OSSL_DISPATCH functions_of[] = {
    entry(OSSL_FUNC_CIPHER_NEWCTX, newctx<kKeyLen>),
    entry(OSSL_FUNC_CIPHER_FREECTX, freectx),
    entry(OSSL_FUNC_CIPHER_DUPCTX, dupctx),
    entry(OSSL_FUNC_CIPHER_ENCRYPT_INIT, init<true>),
    entry(OSSL_FUNC_CIPHER_DECRYPT_INIT, init<false>),
    entry(OSSL_FUNC_CIPHER_UPDATE, update),
    entry(OSSL_FUNC_CIPHER_FINAL, final),
    entry(OSSL_FUNC_CIPHER_CIPHER, cipher),
    entry(OSSL_FUNC_CIPHER_GET_PARAMS, get_params<kKeyLen>),
    entry(OSSL_FUNC_CIPHER_GETTABLE_PARAMS, gettable_aead_params),
    entry(OSSL_FUNC_CIPHER_GET_CTX_PARAMS, get_ctx_params),
    entry(OSSL_FUNC_CIPHER_SET_CTX_PARAMS, set_ctx_params),
    entry(OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, gettable_ctx_params),
    entry(OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, settable_ctx_params),
    {0, nullptr},
};

}  // namespace

const Offer aes128_gcm_offer = {OSSL_OP_CIPHER, "AES-128-GCM", functions_of<16>, "AES-128-GCM by Octavo",
                                bridge::has_wide_aes};
const Offer aes192_gcm_offer = {OSSL_OP_CIPHER, "AES-192-GCM", functions_of<24>, "AES-192-GCM by Octavo",
                                bridge::has_wide_aes};
const Offer aes256_gcm_offer = {OSSL_OP_CIPHER, "AES-256-GCM", functions_of<32>, "AES-256-GCM by Octavo",
                                bridge::has_wide_aes};

}  // namespace octavo::provider
