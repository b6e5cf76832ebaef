#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/curve_key.hpp"
#include "frontend/provider/ecdsa_der.hpp"
#include "frontend/provider/message.hpp"
#include "frontend/provider/offers.hpp"

// A signature or a verification in a job runs here. All else, every refusal included, is the twin's.
namespace octavo::provider {
namespace {

/// What Octavo takes; a hash that is longer goes the twin's way.
constexpr std::size_t kMaxDigest = 64;

using Bytes = std::span<const std::uint8_t>;

struct Context {
    const Provider& provider;
    void* twin;
    CurveKey* key = nullptr;
    Message message{};
    bool plain = true;  // nothing was set but a digest

    Context(const Provider& of, void* its_twin) noexcept : provider(of), twin(its_twin) {}
    ~Context() {
        functions().freectx(twin);
        if (key != nullptr) key->release();
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    const SignatureFunctions& functions() const noexcept { return provider.standard.signatures(KeyKind::ec); }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

void* newctx(void* provctx, const char*) {
    const auto& provider = *static_cast<const Provider*>(provctx);
    const auto& functions = provider.standard.signatures(KeyKind::ec);
    // The properties chose us among the application's providers; the twin's context has only one.
    auto* twin = functions.newctx(provider.standard.provctx(), nullptr);
    if (twin == nullptr) return nullptr;
    auto* context = new (std::nothrow) Context(provider, twin);
    if (context == nullptr) functions.freectx(twin);
    return context;
}

void freectx(void* context) { delete static_cast<Context*>(context); }

void* dupctx(void* context) {
    const auto& from = context_of(context);
    auto* twin = from.functions().dupctx(from.twin);
    if (twin == nullptr) return nullptr;
    auto to = std::unique_ptr<Context>(new (std::nothrow) Context(from.provider, twin));
    if (to == nullptr) {
        from.functions().freectx(twin);
        return nullptr;
    }
    to->plain = from.plain;
    if (from.key != nullptr) to->key = from.key->retain();
    return to->message.copy_from(from.message) ? to.release() : nullptr;
}

bool only_a_digest(const OSSL_PARAM params[]) {
    for (const auto* param = params; param != nullptr && param->key != nullptr; ++param)
        if (std::strcmp(param->key, OSSL_SIGNATURE_PARAM_DIGEST) != 0 &&
            std::strcmp(param->key, OSSL_SIGNATURE_PARAM_PROPERTIES) != 0)
            return false;
    return true;
}

template <class Init>
int init(Context& context, Init* twin_init, void* key, const OSSL_PARAM params[]) {
    auto* new_key = static_cast<CurveKey*>(key);
    auto* twin_key = new_key == nullptr ? nullptr : new_key->twin();
    if (new_key != nullptr && twin_key == nullptr) return 0;
    if (twin_init(context.twin, twin_key, params) != 1) return 0;
    if (new_key != nullptr) {
        new_key->retain();
        if (context.key != nullptr) context.key->release();
        context.key = new_key;
    }
    context.plain = context.plain && only_a_digest(params);
    context.message.stop();
    return 1;
}

int sign_init(void* context, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return init(self, self.functions().sign_init, key, params);
}

int verify_init(void* context, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return init(self, self.functions().verify_init, key, params);
}

/// The key's numbers where this operation, on this digest, may run on Octavo.
const Numbers* numbers_for(const Context& context, Bytes digest) {
    if (!bridge::in_job() || !context.plain || context.key == nullptr || digest.empty() || digest.size() > kMaxDigest)
        return nullptr;
    std::size_t wanted = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, &wanted),
                           OSSL_PARAM_construct_end()};
    if (context.functions().get_ctx_params(context.twin, params) != 1 || (wanted != 0 && wanted != digest.size()))
        return nullptr;
    return context.key->numbers();
}

bool sign_in_job(const Context& context, Bytes digest, std::span<std::uint8_t> out, std::size_t& len) {
    const auto* numbers = numbers_for(context, digest);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_private ||
        out.size() < static_cast<std::size_t>(numbers->curve->max_size) || !context.key->handle(handle))
        return false;
    std::array<std::uint8_t, kMaxSignatureBytes> memory;
    const auto signature = std::span(memory).first(numbers->curve->signature_len);
    if (bridge::run_raw(handle, OCTAVO_ECDSA_SIGN, digest, signature) != OCTAVO_OK) return false;
    len = write_signature(signature, out.data());
    return true;
}

int sign(void* context, unsigned char* signature, size_t* signature_len, size_t capacity, const unsigned char* tbs,
         size_t tbs_len) {
    auto& self = context_of(context);
    if (signature != nullptr && sign_in_job(self, {tbs, tbs_len}, {signature, capacity}, *signature_len)) return 1;
    if (bridge::job_is_cancelled()) return self.provider.errors.raise(Reason::job_cancelled, __func__);
    return self.functions().sign(self.twin, signature, signature_len, capacity, tbs, tbs_len);
}

bool verify_in_job(const Context& context, Bytes der, Bytes digest) {
    const auto* numbers = numbers_for(context, digest);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_public || !context.key->handle(handle)) return false;
    std::array<std::uint8_t, kMaxSignatureBytes + kMaxDigest> in;
    const auto len = numbers->curve->signature_len;
    if (!read_signature(der, std::span(in).first(len))) return false;
    std::copy(digest.begin(), digest.end(), in.begin() + static_cast<std::ptrdiff_t>(len));
    return bridge::run_raw(handle, OCTAVO_ECDSA_VERIFY, std::span(in).first(len + digest.size()), {}) == OCTAVO_OK;
}

/// Answers as the twin does, which says -1 for what is no signature at all: never to be taken for a truth value.
int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* tbs,
           size_t tbs_len) {
    auto& self = context_of(context);
    if (verify_in_job(self, {signature, signature_len}, {tbs, tbs_len})) return 1;
    return self.functions().verify(self.twin, signature, signature_len, tbs, tbs_len);
}

template <class Init>
int digest_init(Context& context, Init* twin_init, const char* name, void* key, const OSSL_PARAM params[]) {
    return init(context, twin_init, key, params) == 1 &&
           context.message.start(context.provider.standard, context.functions(), context.twin, name, params);
}

int digest_sign_init(void* context, const char* name, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return digest_init(self, self.functions().sign_init, name, key, params);
}

int digest_verify_init(void* context, const char* name, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return digest_init(self, self.functions().verify_init, name, key, params);
}

int digest_sign_final(void* context, unsigned char* signature, size_t* signature_len, size_t capacity) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
    unsigned len = 0;
    if (!context_of(context).message.finish(signature == nullptr ? nullptr : digest.data(), len)) return 0;
    return sign(context, signature, signature_len, capacity, digest.data(), len);
}

int digest_verify_final(void* context, const unsigned char* signature, size_t signature_len) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
    unsigned len = 0;
    if (!context_of(context).message.finish(digest.data(), len)) return 0;
    return verify(context, signature, signature_len, digest.data(), len);
}

int get_ctx_params(void* context, OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.functions().get_ctx_params(self.twin, params);
}

const OSSL_PARAM* gettable_ctx_params(void* context, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.signatures(KeyKind::ec)
        .gettable_ctx_params(context == nullptr ? nullptr : context_of(context).twin, standard.provctx());
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (params == nullptr) return 1;
    if (self.message.forbids(params)) return self.provider.errors.raise(Reason::digest_not_allowed, __func__);
    self.plain = self.plain && only_a_digest(params);
    return self.functions().set_ctx_params(self.twin, params);
}

const OSSL_PARAM* settable_ctx_params(void* context, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.signatures(KeyKind::ec)
        .settable_ctx_params(context == nullptr ? nullptr : context_of(context).twin, standard.provctx());
}

const OSSL_DISPATCH ecdsa_functions[] = {
    entry(OSSL_FUNC_SIGNATURE_NEWCTX, newctx),
    entry(OSSL_FUNC_SIGNATURE_FREECTX, freectx),
    entry(OSSL_FUNC_SIGNATURE_DUPCTX, dupctx),
    entry(OSSL_FUNC_SIGNATURE_SIGN_INIT, sign_init),
    entry(OSSL_FUNC_SIGNATURE_SIGN, sign),
    entry(OSSL_FUNC_SIGNATURE_VERIFY_INIT, verify_init),
    entry(OSSL_FUNC_SIGNATURE_VERIFY, verify),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, MessageFunctions<Context>::update),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, digest_sign_final),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, digest_verify_init),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, MessageFunctions<Context>::update),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, digest_verify_final),
    entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_ctx_params),
    entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable_ctx_params),
    entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_ctx_params),
    entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_ctx_params),
    entry(OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS, MessageFunctions<Context>::get_params),
    entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS, MessageFunctions<Context>::gettable_params),
    entry(OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS, MessageFunctions<Context>::set_params),
    entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS, MessageFunctions<Context>::settable_params),
    {0, nullptr},
};

}  // namespace

const Offer ecdsa_offer = {OSSL_OP_SIGNATURE, "ECDSA", ecdsa_functions, "ECDSA by Octavo"};

}  // namespace octavo::provider
