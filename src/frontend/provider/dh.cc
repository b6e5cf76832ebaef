#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <memory>

#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/ffc.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/run.hpp"
#include "frontend/provider/twin_context.hpp"

// Diffie-Hellman in a finite field. The twin is told everything; a plain derivation in a job runs on Octavo.
namespace octavo::provider {
namespace {

struct Context : TwinContext<Key, ExchangeFunctions> {
    using TwinContext::TwinContext;
    ~Context() {
        if (peer != nullptr) peer->release();
    }

    bool copy_from(const Context& other) noexcept {
        plain = other.plain;
        pad = other.pad;
        if (other.peer != nullptr) peer = other.peer->retain();
        return TwinContext::copy_from(other);
    }

    Key* peer = nullptr;
    bool plain = true;  // no key derivation of the secret was asked for
    unsigned pad = 0;   // whether leading zeros of the secret stay
};

const ExchangeFunctions& dh_exchange(const DefaultSide& standard) noexcept { return standard.exchanges(KeyKind::dh); }

using Functions = ContextFunctions<Context, dh_exchange>;

Context& context_of(void* context) { return *static_cast<Context*>(context); }

/// What the twin was told: its padding, and whether there is anything else.
void note(Context& context, const OSSL_PARAM params[]) {
    for (; params != nullptr && params->key != nullptr; ++params) {
        if (OPENSSL_strcasecmp(params->key, OSSL_EXCHANGE_PARAM_PAD) != 0 ||
            OSSL_PARAM_get_uint(params, &context.pad) != 1)
            context.plain = false;
    }
}

int init(void* context, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (!self.start(key, [&](void* twin_key) { return self.functions.init(self.twin, twin_key, params); })) return 0;
    self.plain = true;
    self.pad = 0;
    note(self, params);
    return 1;
}

int set_peer(void* context, void* key) {
    auto& self = context_of(context);
    auto* given = static_cast<Key*>(key);
    if (self.functions.set_peer(self.twin, given == nullptr ? nullptr : given->twin()) != 1) return 0;
    if (given != nullptr) given->retain();
    if (self.peer != nullptr) self.peer->release();
    self.peer = given;
    return 1;
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (self.functions.set_ctx_params(self.twin, params) != 1) return 0;
    note(self, params);
    return 1;
}

/// SP 800-56A, 5.7.1.1: a secret of 0, 1 or p - 1 is none.
bool is_secret(std::span<const std::uint8_t> z, const FieldNumber& p) noexcept {
    std::uint8_t high = 0, differs = 0;
    const auto last = z.size() - 1;
    for (std::size_t i = 0; i < last; ++i) high |= z[i], differs |= static_cast<std::uint8_t>(z[i] ^ p.bytes()[i]);
    return (high != 0 || z[last] > 1) && (differs != 0 || z[last] != p.bytes()[last] - 1);
}

bool derive_on_octavo(const Context& context, std::span<std::uint8_t> out, std::size_t& len) noexcept {
    FieldNumber p, x, y;
    if (!context.plain || context.key == nullptr || context.peer == nullptr || !bridge::in_job() ||
        !p.read(*context.key, OSSL_PKEY_PARAM_FFC_P) || !x.read(*context.key, OSSL_PKEY_PARAM_PRIV_KEY) ||
        !y.read(*context.peer, OSSL_PKEY_PARAM_PUB_KEY) || out.size() < p.size() || !in_range(y, p))
        return false;
    const auto secret = out.first(p.size());
    if (!mod_exp(p, y, x, secret)) return false;
    if (!is_secret(secret, p)) {
        OPENSSL_cleanse(secret.data(), secret.size());
        return false;
    }
    const auto zeros = context.pad != 0 ? 0 : leading_zeros(secret);
    std::copy(secret.begin() + static_cast<std::ptrdiff_t>(zeros), secret.end(), secret.begin());
    len = secret.size() - zeros;
    return true;
}

int derive(void* context, unsigned char* secret, size_t* secret_len, size_t capacity) {
    auto& self = context_of(context);
    if (secret != nullptr && derive_on_octavo(self, {secret, capacity}, *secret_len)) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.derive(self.twin, secret, secret_len, capacity);
}

const OSSL_DISPATCH dh_functions[] = {
    entry(OSSL_FUNC_KEYEXCH_NEWCTX, Functions::newctx<>),
    entry(OSSL_FUNC_KEYEXCH_FREECTX, Functions::freectx),
    entry(OSSL_FUNC_KEYEXCH_DUPCTX, Functions::dupctx),
    entry(OSSL_FUNC_KEYEXCH_INIT, init),
    entry(OSSL_FUNC_KEYEXCH_SET_PEER, set_peer),
    entry(OSSL_FUNC_KEYEXCH_DERIVE, derive),
    entry(OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, Functions::get_params),
    entry(OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, Functions::gettable_params),
    entry(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, set_ctx_params),
    entry(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, Functions::settable_params),
    {0, nullptr},
};

}  // namespace

const Offer dh_offer = {OSSL_OP_KEYEXCH, "DH", dh_functions, "Diffie-Hellman by Octavo"};

}  // namespace octavo::provider
