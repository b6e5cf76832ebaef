#include "frontend/bridge/chacha20_poly1305.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <new>

#include "frontend/bridge/cpu.hpp"
#include "frontend/provider/aead.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/provider.hpp"

// The functions of OSSL_OP_CIPHER for ChaCha20-Poly1305, without a twin, as those of AES-GCM.
namespace octavo::provider {
namespace {

using bridge::ChaCha20Poly1305;

struct Context {
    const Provider& provider;
    ChaCha20Poly1305 cipher;

    explicit Context(const Provider& of) noexcept : provider(of) {}
    int fail(Reason reason, const char* where) const noexcept { return provider.errors.raise(reason, where); }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

void* newctx(void* provctx) {
    std::unique_ptr<Context> context(new (std::nothrow) Context(*static_cast<const Provider*>(provctx)));
    return context != nullptr && context->cipher.good() ? context.release() : nullptr;
}

void freectx(void* context) { delete static_cast<Context*>(context); }

void* dupctx(void* context) try { return new Context(context_of(context)); } catch (const std::bad_alloc&) {
    return nullptr;
}

/// Both are what they are.
int check_number(Context& self, const OSSL_PARAM& param, std::size_t only, Reason reason) {
    std::size_t len = 0;
    if (OSSL_PARAM_get_size_t(&param, &len) != 1) return self.fail(Reason::bad_parameter, __func__);
    return len == only ? 1 : self.fail(reason, __func__);
}
int set_key_len(Context& self, const OSSL_PARAM& param) {
    return check_number(self, param, ChaCha20Poly1305::kKeyLen, Reason::invalid_key_length);
}
int set_iv_len(Context& self, const OSSL_PARAM& param) {
    return check_number(self, param, ChaCha20Poly1305::kIvLen, Reason::invalid_iv_length);
}

int set_tag(Context& self, const OSSL_PARAM& param) {
    if (param.data_type != OSSL_PARAM_OCTET_STRING) return self.fail(Reason::bad_parameter, __func__);
    if (param.data_size == 0 || param.data_size > ChaCha20Poly1305::kTagLen)
        return self.fail(Reason::invalid_tag_length, __func__);
    if (param.data != nullptr && self.cipher.encrypts()) return self.fail(Reason::tag_not_needed, __func__);
    self.cipher.set_tag(static_cast<const std::uint8_t*>(param.data), param.data_size);
    return 1;
}

int set_tls_aad(Context& self, const OSSL_PARAM& param) {
    if (!is_bytes(param)) return self.fail(Reason::bad_parameter, __func__);
    return self.cipher.set_tls_aad(bytes_of(param)) ? 1 : self.fail(Reason::invalid_data, __func__);
}

int set_fixed_iv(Context& self, const OSSL_PARAM& param) {
    if (!is_bytes(param)) return self.fail(Reason::bad_parameter, __func__);
    if (param.data_size != ChaCha20Poly1305::kIvLen) return self.fail(Reason::invalid_iv_length, __func__);
    self.cipher.set_iv(static_cast<const std::uint8_t*>(param.data));
    return 1;
}

int get_iv_len(Context& self, OSSL_PARAM& param) { return get_number(self, param, ChaCha20Poly1305::kIvLen); }
int get_key_len(Context& self, OSSL_PARAM& param) { return get_number(self, param, ChaCha20Poly1305::kKeyLen); }
int get_tag_len(Context& self, OSSL_PARAM& param) { return get_number(self, param, self.cipher.tag_len()); }
int get_tls_pad(Context& self, OSSL_PARAM& param) { return get_number(self, param, self.cipher.tls_pad()); }

int get_tag(Context& self, OSSL_PARAM& param) {
    if (!is_bytes(param)) return self.fail(Reason::parameter_not_set, __func__);
    if (!self.cipher.encrypts()) return self.fail(Reason::tag_not_set, __func__);
    if (param.data_size == 0 || param.data_size > ChaCha20Poly1305::kTagLen)
        return self.fail(Reason::invalid_tag_length, __func__);
    self.cipher.get_tag({static_cast<std::uint8_t*>(param.data), param.data_size});
    return 1;
}

constexpr Parameter<Context, const OSSL_PARAM> kSettable[] = {
    {OSSL_CIPHER_PARAM_KEYLEN, set_key_len},
    {OSSL_CIPHER_PARAM_IVLEN, set_iv_len},
    {OSSL_CIPHER_PARAM_AEAD_TAG, set_tag},
    {OSSL_CIPHER_PARAM_AEAD_TLS1_AAD, set_tls_aad},
    {OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, set_fixed_iv},
};
constexpr Parameter<Context, OSSL_PARAM> kGettable[] = {
    {OSSL_CIPHER_PARAM_IVLEN, get_iv_len},        {OSSL_CIPHER_PARAM_KEYLEN, get_key_len},
    {OSSL_CIPHER_PARAM_AEAD_TAGLEN, get_tag_len}, {OSSL_CIPHER_PARAM_AEAD_TLS1_AAD_PAD, get_tls_pad},
    {OSSL_CIPHER_PARAM_AEAD_TAG, get_tag},
};

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    return run_parameters(context_of(context), params, kSettable);
}
int get_ctx_params(void* context, OSSL_PARAM params[]) {
    return run_parameters(context_of(context), params, kGettable);
}

const OSSL_PARAM* settable_ctx_params(void*, void*) {
    static const OSSL_PARAM table[] = {OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, nullptr),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_AAD, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, nullptr, 0),
                                       OSSL_PARAM_END};
    return table;
}

const OSSL_PARAM* gettable_ctx_params(void*, void*) {
    static const OSSL_PARAM table[] = {OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_TAGLEN, nullptr),
                                       OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, 0),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_TLS1_AAD_PAD, nullptr),
                                       OSSL_PARAM_END};
    return table;
}

template <bool kEncrypts>
int init(void* context, const unsigned char* key, size_t key_len, const unsigned char* iv, size_t iv_len,
         const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    self.cipher.set_direction(kEncrypts);
    if (iv != nullptr && iv_len != ChaCha20Poly1305::kIvLen) return self.fail(Reason::invalid_iv_length, __func__);
    if (key != nullptr && key_len != ChaCha20Poly1305::kKeyLen) return self.fail(Reason::invalid_key_length, __func__);
    if (key != nullptr) self.cipher.set_key(key);
    if (iv != nullptr) self.cipher.set_iv(iv);
    return set_ctx_params(context, params);
}

int update(void* context, unsigned char* out, size_t* out_len, size_t capacity, const unsigned char* in, size_t len) {
    auto& self = context_of(context);
    *out_len = 0;
    if (len == 0) return 1;
    if (capacity < len) return self.fail(Reason::output_too_small, __func__);
    const bool is_record = self.cipher.expects_record();
    if (self.cipher.update(out, in, len, *out_len)) return 1;
    return is_record ? 0
                     : self.fail(Reason::cipher_failed, __func__);  // of a forged record the default side says nothing
}

int final(void* context, unsigned char*, size_t* out_len, size_t) {
    *out_len = 0;
    return context_of(context).cipher.final() ? 1 : 0;
}

int get_params(OSSL_PARAM params[]) { return get_aead_params(params, 0, ChaCha20Poly1305::kKeyLen); }

const OSSL_DISPATCH functions[] = {
    entry(OSSL_FUNC_CIPHER_NEWCTX, newctx),
    entry(OSSL_FUNC_CIPHER_FREECTX, freectx),
    entry(OSSL_FUNC_CIPHER_DUPCTX, dupctx),
    entry(OSSL_FUNC_CIPHER_ENCRYPT_INIT, init<true>),
    entry(OSSL_FUNC_CIPHER_DECRYPT_INIT, init<false>),
    entry(OSSL_FUNC_CIPHER_UPDATE, update),
    entry(OSSL_FUNC_CIPHER_FINAL, final),
    entry(OSSL_FUNC_CIPHER_CIPHER, update),
    entry(OSSL_FUNC_CIPHER_GET_PARAMS, get_params),
    entry(OSSL_FUNC_CIPHER_GETTABLE_PARAMS, gettable_aead_params),
    entry(OSSL_FUNC_CIPHER_GET_CTX_PARAMS, get_ctx_params),
    entry(OSSL_FUNC_CIPHER_SET_CTX_PARAMS, set_ctx_params),
    entry(OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, gettable_ctx_params),
    entry(OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, settable_ctx_params),
    {0, nullptr},
};

}  // namespace

const Offer chacha20_poly1305_offer = {OSSL_OP_CIPHER, "ChaCha20-Poly1305", functions, "ChaCha20-Poly1305 by Octavo",
                                       bridge::has_wide_chacha20_poly1305};

}  // namespace octavo::provider
