#include <openssl/core_dispatch.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/curve_key.hpp"
#include "frontend/provider/offers.hpp"

// A signature or a verification in a job runs here. All else, every refusal included, is the twin's. Messages are not hashed on the way:
// they come in one piece.
namespace octavo::provider {
namespace {

using Bytes = std::span<const std::uint8_t>;

struct Context {
    const Provider& provider;
    const KeyKind kind;
    void* twin;
    CurveKey* key = nullptr;
    bool plain = true;  // nothing was set: pure, and without a context string

    Context(const Provider& of, KeyKind its_kind, void* its_twin) noexcept
        : provider(of), kind(its_kind), twin(its_twin) {}
    ~Context() {
        functions().freectx(twin);
        if (key != nullptr) key->release();
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    const SignatureFunctions& functions() const noexcept { return provider.standard.signatures(kind); }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }
bool empty(const OSSL_PARAM params[]) { return params == nullptr || params[0].key == nullptr; }

template <KeyKind kind>
void* newctx(void* provctx, const char*) {
    const auto& provider = *static_cast<const Provider*>(provctx);
    const auto& functions = provider.standard.signatures(kind);
    auto* twin = functions.newctx(provider.standard.provctx(), nullptr);
    if (twin == nullptr) return nullptr;
    auto* context = new (std::nothrow) Context(provider, kind, twin);
    if (context == nullptr) functions.freectx(twin);
    return context;
}

void freectx(void* context) { delete static_cast<Context*>(context); }

void* dupctx(void* context) {
    const auto& from = context_of(context);
    auto* twin = from.functions().dupctx(from.twin);
    if (twin == nullptr) return nullptr;
    auto* to = new (std::nothrow) Context(from.provider, from.kind, twin);
    if (to == nullptr) {
        from.functions().freectx(twin);
        return nullptr;
    }
    to->plain = from.plain;
    if (from.key != nullptr) to->key = from.key->retain();
    return to;
}

template <class Init>
int init(Context& context, Init* twin_init, const char* digest, void* key, const OSSL_PARAM params[]) {
    auto* new_key = static_cast<CurveKey*>(key);
    auto* twin_key = new_key == nullptr ? nullptr : new_key->twin();
    if (new_key != nullptr && twin_key == nullptr) return 0;
    if (twin_init(context.twin, digest, twin_key, params) != 1) return 0;
    if (new_key != nullptr) {
        new_key->retain();
        if (context.key != nullptr) context.key->release();
        context.key = new_key;
    }
    context.plain = empty(params);
    return 1;
}

int digest_sign_init(void* context, const char* digest, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return init(self, self.functions().digest_sign_init, digest, key, params);
}

int digest_verify_init(void* context, const char* digest, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return init(self, self.functions().digest_verify_init, digest, key, params);
}

/// The key's numbers where this operation may run on Octavo.
const Numbers* numbers_for(const Context& context) {
    return bridge::in_job() && context.plain && context.key != nullptr ? context.key->numbers() : nullptr;
}

bool sign_in_job(const Context& context, Bytes message, std::span<std::uint8_t> out, std::size_t& len) {
    const auto* numbers = numbers_for(context);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_private || out.size() < numbers->curve->signature_len ||
        message.size() > OCTAVO_MAX_INPUT || !context.key->handle(handle) ||
        bridge::run_raw(handle, OCTAVO_EDDSA_SIGN, message, out.first(numbers->curve->signature_len)) != OCTAVO_OK)
        return false;
    len = numbers->curve->signature_len;
    return true;
}

int digest_sign(void* context, unsigned char* signature, size_t* signature_len, size_t capacity,
                const unsigned char* tbs, size_t tbs_len) {
    auto& self = context_of(context);
    if (signature != nullptr && sign_in_job(self, {tbs, tbs_len}, {signature, capacity}, *signature_len)) return 1;
    if (bridge::job_is_cancelled()) return self.provider.errors.raise(Reason::job_cancelled, __func__);
    return self.functions().digest_sign(self.twin, signature, signature_len, capacity, tbs, tbs_len);
}

bool verify_in_job(const Context& context, Bytes signature, Bytes message) {
    const auto* numbers = numbers_for(context);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_public || signature.size() != numbers->curve->signature_len ||
        message.size() > OCTAVO_MAX_INPUT - signature.size() || !context.key->handle(handle))
        return false;
    std::array<std::uint8_t, OCTAVO_MAX_INPUT> in;
    const auto end =
        std::copy(message.begin(), message.end(), std::copy(signature.begin(), signature.end(), in.begin()));
    return bridge::run_raw(handle, OCTAVO_EDDSA_VERIFY, {in.begin(), end}, {}) == OCTAVO_OK;
}

int digest_verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* tbs,
                  size_t tbs_len) {
    auto& self = context_of(context);
    if (verify_in_job(self, {signature, signature_len}, {tbs, tbs_len})) return 1;
    return self.functions().digest_verify(self.twin, signature, signature_len, tbs, tbs_len);
}

int get_ctx_params(void* context, OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.functions().get_ctx_params(self.twin, params);
}

template <KeyKind kind>
const OSSL_PARAM* gettable_ctx_params(void* context, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.signatures(kind).gettable_ctx_params(context == nullptr ? nullptr : context_of(context).twin,
                                                         standard.provctx());
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    self.plain = self.plain && empty(params);
    return self.functions().set_ctx_params(self.twin, params);
}

template <KeyKind kind>
const OSSL_PARAM* settable_ctx_params(void* context, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.signatures(kind).settable_ctx_params(context == nullptr ? nullptr : context_of(context).twin,
                                                         standard.provctx());
}

#define OCTAVO_EDDSA_FUNCTIONS(kind)                                                                              \
    entry(OSSL_FUNC_SIGNATURE_NEWCTX, newctx<kind>), entry(OSSL_FUNC_SIGNATURE_FREECTX, freectx),                 \
        entry(OSSL_FUNC_SIGNATURE_DUPCTX, dupctx), entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init), \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, digest_sign),                                                      \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, digest_verify_init),                                        \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, digest_verify),                                                  \
        entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_ctx_params),                                                \
        entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable_ctx_params<kind>),                                \
        entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_ctx_params),                                                \
        entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_ctx_params<kind>)

const OSSL_DISPATCH ed25519_functions[] = {OCTAVO_EDDSA_FUNCTIONS(KeyKind::ed25519), {0, nullptr}};
const OSSL_DISPATCH ed448_functions[] = {OCTAVO_EDDSA_FUNCTIONS(KeyKind::ed448), {0, nullptr}};

}  // namespace

const Offer ed25519_offer = {OSSL_OP_SIGNATURE, "ED25519", ed25519_functions, "Ed25519 by Octavo"};
const Offer ed448_offer = {OSSL_OP_SIGNATURE, "ED448", ed448_functions, "Ed448 by Octavo"};

}  // namespace octavo::provider
