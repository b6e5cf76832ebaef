#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/ecdsa_der.hpp"
#include "frontend/provider/curve_key.hpp"
#include "frontend/provider/message.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/run.hpp"
#include "frontend/provider/twin_context.hpp"

// A signature or a verification that Octavo does well runs here: in a job, or on a curve whose lanes need no company. All else, every refusal
// included, is the twin's.
namespace octavo::provider {
namespace {

/// What Octavo takes; a hash that is longer goes the twin's way.
constexpr std::size_t kMaxDigest = 64;

using Bytes = std::span<const std::uint8_t>;

bool only_a_digest(const OSSL_PARAM params[]) {
    for (const auto* param = params; param != nullptr && param->key != nullptr; ++param)
        if (std::strcmp(param->key, OSSL_SIGNATURE_PARAM_DIGEST) != 0 &&
            std::strcmp(param->key, OSSL_SIGNATURE_PARAM_PROPERTIES) != 0)
            return false;
    return true;
}

struct Context : TwinContext<CurveKey, SignatureFunctions> {
    using TwinContext::TwinContext;
    Message message{};
    bool plain = true;  // nothing was set but a digest

    bool copy_from(const Context& other) noexcept {
        plain = other.plain;
        return TwinContext::copy_from(other) && message.copy_from(other.message);
    }
    template <class Init>
    int init(Init* twin_init, void* new_key, const OSSL_PARAM params[]) noexcept {
        if (!start(new_key, [&](void* twin_key) { return twin_init(twin, twin_key, params); })) return 0;
        plain = plain && only_a_digest(params);
        message.stop();
        return 1;
    }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

/// The key's numbers where this operation, on this digest, is for Octavo.
const Numbers* numbers_for(const Context& context, octavo_operation operation, Bytes digest) {
    if (!context.plain || context.key == nullptr || digest.empty() || digest.size() > kMaxDigest) return nullptr;
    const auto* curve = context.key->curve();
    if (curve == nullptr || !offload(*curve, operation)) return nullptr;
    std::size_t wanted = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, &wanted),
                           OSSL_PARAM_construct_end()};
    if (context.functions.get_ctx_params(context.twin, params) != 1 || (wanted != 0 && wanted != digest.size()))
        return nullptr;
    return context.key->numbers();
}

bool sign_on_octavo(const Context& context, Bytes digest, std::span<std::uint8_t> out, std::size_t& len) {
    const auto* numbers = numbers_for(context, OCTAVO_ECDSA_SIGN, digest);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_private ||
        out.size() < static_cast<std::size_t>(numbers->curve->max_size) || !context.key->handle(handle))
        return false;
    std::array<std::uint8_t, kMaxSignatureBytes> memory;
    const auto signature = std::span(memory).first(numbers->curve->signature_len);
    if (!run_raw(handle, OCTAVO_ECDSA_SIGN, digest, signature)) return false;
    len = bridge::write_signature(signature, out.data());
    return true;
}

int sign(void* context, unsigned char* signature, size_t* signature_len, size_t capacity, const unsigned char* tbs,
         size_t tbs_len) {
    auto& self = context_of(context);
    if (signature != nullptr && sign_on_octavo(self, {tbs, tbs_len}, {signature, capacity}, *signature_len)) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.sign(self.twin, signature, signature_len, capacity, tbs, tbs_len);
}

bool verify_on_octavo(const Context& context, Bytes der, Bytes digest) {
    const auto* numbers = numbers_for(context, OCTAVO_ECDSA_VERIFY, digest);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_public || !context.key->handle(handle)) return false;
    std::array<std::uint8_t, kMaxSignatureBytes + kMaxDigest> in;
    const auto len = numbers->curve->signature_len;
    if (!bridge::read_signature(der, std::span(in).first(len))) return false;
    std::copy(digest.begin(), digest.end(), in.begin() + static_cast<std::ptrdiff_t>(len));
    return run_raw(handle, OCTAVO_ECDSA_VERIFY, std::span(in).first(len + digest.size()), {});
}

/// Answers as the twin does, which says -1 for what is no signature at all: never to be taken for a truth value.
int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* tbs,
           size_t tbs_len) {
    auto& self = context_of(context);
    if (verify_on_octavo(self, {signature, signature_len}, {tbs, tbs_len})) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.verify(self.twin, signature, signature_len, tbs, tbs_len);
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (params == nullptr) return 1;
    if (self.message.forbids(params)) return self.provider.errors.raise(Reason::digest_not_allowed, __func__);
    self.plain = self.plain && only_a_digest(params);
    return self.functions.set_ctx_params(self.twin, params);
}

using Own = ContextFunctions<Context, signatures_of<KeyKind::ec>>;
using OfMessage = MessageFunctions<Context, sign, verify>;

const OSSL_DISPATCH ecdsa_functions[] = {
    entry(OSSL_FUNC_SIGNATURE_NEWCTX, Own::newctx<const char*>),
    entry(OSSL_FUNC_SIGNATURE_FREECTX, Own::freectx),
    entry(OSSL_FUNC_SIGNATURE_DUPCTX, Own::dupctx),
    entry(OSSL_FUNC_SIGNATURE_SIGN_INIT, OfMessage::sign_init),
    entry(OSSL_FUNC_SIGNATURE_SIGN, sign),
    entry(OSSL_FUNC_SIGNATURE_VERIFY_INIT, OfMessage::verify_init),
    entry(OSSL_FUNC_SIGNATURE_VERIFY, verify),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, OfMessage::digest_sign_init),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, OfMessage::update),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, OfMessage::digest_sign_final),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, OfMessage::digest_verify_init),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, OfMessage::update),
    entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, OfMessage::digest_verify_final),
    entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, Own::get_params),
    entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, Own::gettable_params),
    entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_ctx_params),
    entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, Own::settable_params),
    entry(OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS, OfMessage::get_params),
    entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS, OfMessage::gettable_params),
    entry(OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS, OfMessage::set_params),
    entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS, OfMessage::settable_params),
    {0, nullptr},
};

}  // namespace

const Offer ecdsa_offer = {OSSL_OP_SIGNATURE, "ECDSA", ecdsa_functions, "ECDSA by Octavo"};

}  // namespace octavo::provider
