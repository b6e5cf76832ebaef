#include <openssl/core_dispatch.h>

#include <memory>
#include <new>

#include "frontend/provider/curve_key.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/run.hpp"

// A derivation that Octavo does well runs here: in a job, or on a curve whose lanes need no company. All else, every refusal included, is the twin's, which is made when it is first needed.
namespace octavo::provider {
namespace {

struct Context {
    const Provider& provider;
    const KeyKind kind;
    void* twin = nullptr;
    CurveKey* key = nullptr;
    CurveKey* peer = nullptr;
    bool plain = true;  // no parameter was set: the secret is the bare coordinate

    Context(const Provider& of, KeyKind its_kind) noexcept : provider(of), kind(its_kind) {}
    ~Context() {
        if (twin != nullptr) functions().freectx(twin);
        if (key != nullptr) key->release();
        if (peer != nullptr) peer->release();
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    const ExchangeFunctions& functions() const noexcept { return provider.standard.exchanges(kind); }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

void hold(CurveKey*& place, CurveKey* key) {
    if (key != nullptr) key->retain();
    if (place != nullptr) place->release();
    place = key;
}

bool make_twin(Context& context) {
    if (context.twin != nullptr) return true;
    const auto& functions = context.functions();
    auto* twin = functions.newctx(context.provider.standard.provctx());
    if (twin == nullptr) return false;
    if ((context.key == nullptr || functions.init(twin, context.key->twin(), nullptr) == 1) &&
        (context.peer == nullptr || functions.set_peer(twin, context.peer->twin()) == 1)) {
        context.twin = twin;
        return true;
    }
    functions.freectx(twin);
    return false;
}

template <KeyKind kind>
void* newctx(void* provctx) {
    return new (std::nothrow) Context(*static_cast<const Provider*>(provctx), kind);
}

void freectx(void* context) { delete static_cast<Context*>(context); }

void* dupctx(void* context) {
    const auto& from = context_of(context);
    std::unique_ptr<Context> to(new (std::nothrow) Context(from.provider, from.kind));
    if (to == nullptr) return nullptr;
    to->plain = from.plain;
    hold(to->key, from.key);
    hold(to->peer, from.peer);
    if (from.twin != nullptr && (to->twin = from.functions().dupctx(from.twin)) == nullptr) return nullptr;
    return to.release();
}

bool empty(const OSSL_PARAM params[]) { return params == nullptr || params[0].key == nullptr; }

/// Whether the context's twin may wait: there are numbers of a curve of ours, to which it has no objections, and they are what may be used.
bool may_wait(CurveKey* key) {
    const auto* curve = key == nullptr ? nullptr : key->curve();
    return curve != nullptr && (!key->has_twin() || may_offload(*curve, OCTAVO_ECDH_DERIVE)) &&
           key->numbers() != nullptr;
}

int init(void* context, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    auto* new_key = static_cast<CurveKey*>(key);
    self.plain = empty(params);
    if (self.plain && self.twin == nullptr && may_wait(new_key)) {
        hold(self.key, new_key);
        return 1;
    }
    if (!make_twin(self)) return 0;
    if (self.functions().init(self.twin, new_key == nullptr ? nullptr : new_key->twin(), params) != 1) return 0;
    hold(self.key, new_key);
    return 1;
}

bool fit(const Context& context, CurveKey* peer) {
    if (context.key == nullptr || peer == nullptr) return false;
    const auto *ours = context.key->numbers(), *theirs = peer->numbers();
    return ours != nullptr && theirs != nullptr && ours->curve == theirs->curve;
}

int set_peer(void* context, void* key) {
    auto& self = context_of(context);
    auto* new_peer = static_cast<CurveKey*>(key);
    if (self.twin == nullptr && fit(self, new_peer)) {
        hold(self.peer, new_peer);
        return 1;
    }
    if (!make_twin(self) || self.functions().set_peer(self.twin, new_peer == nullptr ? nullptr : new_peer->twin()) != 1)
        return 0;
    hold(self.peer, new_peer);
    return 1;
}

/// Whether there is nothing about the derivation that the twin is needed for.
bool is_ready(const Context& context) {
    return context.plain && fit(context, context.peer) && context.key->numbers()->has_private &&
           context.peer->numbers()->has_public;
}

bool derive_on_octavo(Context& context, std::span<std::uint8_t> secret, std::size_t& len) {
    if (!is_ready(context)) return false;
    const auto& curve = *context.key->numbers()->curve;
    octavo_key handle{};
    if (secret.size() < curve.secret_len || !offload(curve, OCTAVO_ECDH_DERIVE) || !context.key->handle(handle) ||
        !run_raw(handle, OCTAVO_ECDH_DERIVE, context.peer->numbers()->public_key(), secret.first(curve.secret_len)))
        return false;
    len = curve.secret_len;
    return true;
}

int derive(void* context, unsigned char* secret, size_t* secret_len, size_t capacity) {
    auto& self = context_of(context);
    if (secret == nullptr && self.twin == nullptr && is_ready(self)) {
        *secret_len = self.key->numbers()->curve->secret_len;
        return 1;
    }
    if (secret != nullptr && derive_on_octavo(self, {secret, capacity}, *secret_len)) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return make_twin(self) ? self.functions().derive(self.twin, secret, secret_len, capacity) : 0;
}

int get_ctx_params(void* context, OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return make_twin(self) ? self.functions().get_ctx_params(self.twin, params) : 0;
}

template <KeyKind kind>
const OSSL_PARAM* gettable_ctx_params(void* context, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.exchanges(kind).gettable_ctx_params(context == nullptr ? nullptr : context_of(context).twin,
                                                        standard.provctx());
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (empty(params)) return 1;
    self.plain = false;
    return make_twin(self) ? self.functions().set_ctx_params(self.twin, params) : 0;
}

template <KeyKind kind>
const OSSL_PARAM* settable_ctx_params(void* context, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.exchanges(kind).settable_ctx_params(context == nullptr ? nullptr : context_of(context).twin,
                                                        standard.provctx());
}

#define OCTAVO_EXCHANGE_FUNCTIONS(kind)                                                       \
    entry(OSSL_FUNC_KEYEXCH_NEWCTX, newctx<kind>), entry(OSSL_FUNC_KEYEXCH_FREECTX, freectx), \
        entry(OSSL_FUNC_KEYEXCH_DUPCTX, dupctx), entry(OSSL_FUNC_KEYEXCH_INIT, init),         \
        entry(OSSL_FUNC_KEYEXCH_SET_PEER, set_peer), entry(OSSL_FUNC_KEYEXCH_DERIVE, derive), \
        entry(OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, get_ctx_params),                              \
        entry(OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, gettable_ctx_params<kind>),              \
        entry(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, set_ctx_params),                              \
        entry(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, settable_ctx_params<kind>)

const OSSL_DISPATCH ecdh_functions[] = {OCTAVO_EXCHANGE_FUNCTIONS(KeyKind::ec), {0, nullptr}};
const OSSL_DISPATCH x25519_functions[] = {OCTAVO_EXCHANGE_FUNCTIONS(KeyKind::x25519), {0, nullptr}};
const OSSL_DISPATCH x448_functions[] = {OCTAVO_EXCHANGE_FUNCTIONS(KeyKind::x448), {0, nullptr}};

}  // namespace

const Offer ecdh_offer = {OSSL_OP_KEYEXCH, "ECDH", ecdh_functions, "ECDH by Octavo"};
const Offer x25519_offer = {OSSL_OP_KEYEXCH, "X25519", x25519_functions, "X25519 by Octavo"};
const Offer x448_offer = {OSSL_OP_KEYEXCH, "X448", x448_functions, "X448 by Octavo"};

}  // namespace octavo::provider
