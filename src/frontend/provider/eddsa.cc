#include <openssl/core_dispatch.h>

#include <algorithm>
#include <array>

#include "frontend/provider/curve_key.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/run.hpp"
#include "frontend/provider/twin_context.hpp"

// A signature or a verification that Octavo does well runs here: in a job, or on a curve whose lanes need no company. All else, every refusal
// included, is the twin's. Messages are not hashed on the way: they come in one piece.
namespace octavo::provider {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool empty(const OSSL_PARAM params[]) { return params == nullptr || params[0].key == nullptr; }

struct Context : TwinContext<CurveKey, SignatureFunctions> {
    using TwinContext::TwinContext;
    bool plain = true;  // nothing was set: pure, and without a context string

    bool copy_from(const Context& other) noexcept {
        plain = other.plain;
        return TwinContext::copy_from(other);
    }
    template <class Init>
    int init(Init* twin_init, const char* digest, void* new_key, const OSSL_PARAM params[]) noexcept {
        if (!start(new_key, [&](void* twin_key) { return twin_init(twin, digest, twin_key, params); })) return 0;
        plain = empty(params);
        return 1;
    }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

int digest_sign_init(void* context, const char* digest, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.init(self.functions.digest_sign_init, digest, key, params);
}

int digest_verify_init(void* context, const char* digest, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.init(self.functions.digest_verify_init, digest, key, params);
}

/// The key's numbers where this operation is for Octavo.
const Numbers* numbers_for(const Context& context, octavo_operation operation) {
    return context.plain && context.key != nullptr && offload(*only_curve(context.key->kind()), operation)
               ? context.key->numbers()
               : nullptr;
}

bool sign_on_octavo(const Context& context, Bytes message, std::span<std::uint8_t> out, std::size_t& len) {
    const auto* numbers = numbers_for(context, OCTAVO_EDDSA_SIGN);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_private || out.size() < numbers->curve->signature_len ||
        message.size() > OCTAVO_MAX_INPUT || !context.key->handle(handle) ||
        !run_raw(handle, OCTAVO_EDDSA_SIGN, message, out.first(numbers->curve->signature_len)))
        return false;
    len = numbers->curve->signature_len;
    return true;
}

int digest_sign(void* context, unsigned char* signature, size_t* signature_len, size_t capacity,
                const unsigned char* tbs, size_t tbs_len) {
    auto& self = context_of(context);
    if (signature != nullptr && sign_on_octavo(self, {tbs, tbs_len}, {signature, capacity}, *signature_len)) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.digest_sign(self.twin, signature, signature_len, capacity, tbs, tbs_len);
}

bool verify_on_octavo(const Context& context, Bytes signature, Bytes message) {
    const auto* numbers = numbers_for(context, OCTAVO_EDDSA_VERIFY);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_public || signature.size() != numbers->curve->signature_len ||
        message.size() > OCTAVO_MAX_INPUT - signature.size() || !context.key->handle(handle))
        return false;
    std::array<std::uint8_t, OCTAVO_MAX_INPUT> in;
    const auto end =
        std::copy(message.begin(), message.end(), std::copy(signature.begin(), signature.end(), in.begin()));
    return run_raw(handle, OCTAVO_EDDSA_VERIFY, {in.begin(), end}, {});
}

int digest_verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* tbs,
                  size_t tbs_len) {
    auto& self = context_of(context);
    if (verify_on_octavo(self, {signature, signature_len}, {tbs, tbs_len})) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.digest_verify(self.twin, signature, signature_len, tbs, tbs_len);
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    self.plain = self.plain && empty(params);
    return self.functions.set_ctx_params(self.twin, params);
}

template <KeyKind kKind>
using Own = ContextFunctions<Context, signatures_of<kKind>>;

template <KeyKind kKind>
const OSSL_DISPATCH functions_of[] = {
    entry(OSSL_FUNC_SIGNATURE_NEWCTX, Own<kKind>::template newctx<const char*>),
    entry(OSSL_FUNC_SIGNATURE_FREECTX, Own<kKind>::freectx),
    entry(OSSL_FUNC_SIGNATURE_DUPCTX, Own<kKind>::dupctx),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, digest_sign),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, digest_verify_init),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, digest_verify),
    entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, Own<kKind>::get_params),
    entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, Own<kKind>::gettable_params),
    entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_ctx_params),
    entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, Own<kKind>::settable_params),
    {0, nullptr},
};

}  // namespace

const Offer ed25519_offer = {OSSL_OP_SIGNATURE, "ED25519", functions_of<KeyKind::ed25519>, "Ed25519 by Octavo"};
const Offer ed448_offer = {OSSL_OP_SIGNATURE, "ED448", functions_of<KeyKind::ed448>, "Ed448 by Octavo"};

}  // namespace octavo::provider
