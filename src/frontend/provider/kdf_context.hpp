#pragma once

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <memory>
#include <new>

#include "frontend/provider/kdf_state.hpp"
#include "frontend/provider/provider.hpp"

/// Contexts of key derivations, as EVP_KDF has them and as EVP_PKEY_derive() has. `Algorithm` says what they derive:
///   static constexpr KdfKind kKind
///   static const KdfRules& rules(const DefaultSide&) noexcept
///   static bool derive(const KdfState&, std::span<std::uint8_t> out) noexcept   false for what is the twin's to do or to refuse
namespace octavo::provider {

/// The default side's context, as EVP_KDF has it.
struct KdfTwin {
    using Functions = KdfFunctions;
    static const Functions& functions(const DefaultSide& standard, KdfKind kind) noexcept { return standard.kdf(kind); }
    static void* make(const DefaultSide& standard, KdfKind kind) noexcept {
        return standard.kdf(kind).newctx(standard.provctx());
    }
};

/// As EVP_PKEY_derive() has it: with a key that says nothing.
struct ExchangeTwin {
    using Functions = ExchangeFunctions;
    static const Functions& functions(const DefaultSide& standard, KdfKind kind) noexcept {
        return standard.kdf_exchange(kind);
    }
    static void* make(const DefaultSide& standard, KdfKind kind) noexcept {
        const auto& exchange = standard.kdf_exchange(kind);
        const auto& keys = standard.kdf_keys(kind);
        auto* context = exchange.newctx(standard.provctx());
        auto* key = keys.create(standard.provctx());
        const bool good = context != nullptr && key != nullptr && exchange.init(context, key, nullptr) == 1;
        if (key != nullptr) keys.free(key);
        if (good) return context;
        if (context != nullptr) exchange.freectx(context);
        return nullptr;
    }
};

/// The twin is made when it is needed, out of the state. Where it is given what the state does not take, it has the say from then on.
template <class Algorithm, class Twin>
class KdfContext {
public:
    explicit KdfContext(const Provider& provider) noexcept
        : provider_(provider), state_(Algorithm::rules(provider.standard)) {}
    ~KdfContext() { drop_twin(); }
    KdfContext(const KdfContext&) = delete;
    KdfContext& operator=(const KdfContext&) = delete;

    static const typename Twin::Functions& functions(const DefaultSide& standard) noexcept {
        return Twin::functions(standard, Algorithm::kKind);
    }
    const typename Twin::Functions& functions() const noexcept { return functions(provider_.standard); }

    /// Null where the default side refuses what it is given, or memory has run out.
    void* twin() noexcept {
        if (twin_ != nullptr) return twin_;
        auto* made = Twin::make(provider_.standard, Algorithm::kKind);
        if (made == nullptr) return nullptr;
        const auto params = state_.params();
        if (params[0].key == nullptr || functions().set_ctx_params(made, params.data()) == 1) return twin_ = made;
        functions().freectx(made);
        return nullptr;
    }
    int set(const OSSL_PARAM params[]) noexcept {
        if (params == nullptr) return 1;
        if (is_ours_ && state_.take(params, provider_.standard.digests())) {
            drop_twin();
            return 1;
        }
        if (twin() == nullptr) return 0;
        is_ours_ = false;
        state_.clear();
        return functions().set_ctx_params(twin_, params);
    }
    bool derive(unsigned char* out, std::size_t len) const noexcept {
        return is_ours_ && out != nullptr && Algorithm::derive(state_, {out, len});
    }
    void reset() noexcept {
        drop_twin();
        state_.clear();
        is_ours_ = true;
    }
    /// Null, too, where the default side cannot copy what it derives by.
    KdfContext* copy() const noexcept {
        if (provider_.standard.kdf(Algorithm::kKind).dupctx == nullptr) return nullptr;
        std::unique_ptr<KdfContext> to(new (std::nothrow) KdfContext(provider_));
        if (to == nullptr || !to->state_.copy_from(state_)) return nullptr;
        to->is_ours_ = is_ours_;
        if (is_ours_) return to.release();
        to->twin_ = functions().dupctx(twin_);
        return to->twin_ == nullptr ? nullptr : to.release();
    }

private:
    void drop_twin() noexcept {
        if (twin_ != nullptr) functions().freectx(twin_);
        twin_ = nullptr;
    }

    const Provider& provider_;
    void* twin_ = nullptr;
    bool is_ours_ = true;  ///< the state has all
    KdfState state_;
};

/// What both tables of functions have.
template <class Algorithm, class Twin>
struct KdfContextFunctions {
    using Context = KdfContext<Algorithm, Twin>;

    static Context& of(void* context) noexcept { return *static_cast<Context*>(context); }
    static void* newctx(void* provctx) { return new (std::nothrow) Context(*static_cast<const Provider*>(provctx)); }
    static void freectx(void* context) { delete static_cast<Context*>(context); }
    static void* dupctx(void* context) { return of(context).copy(); }
    static int set(void* context, const OSSL_PARAM params[]) { return of(context).set(params); }
    static int get(void* context, OSSL_PARAM params[]) {
        auto* twin = of(context).twin();
        return twin == nullptr ? 0 : of(context).functions().get_ctx_params(twin, params);
    }
    static const OSSL_PARAM* settable(void*, void* provctx) {
        const auto& standard = static_cast<const Provider*>(provctx)->standard;
        return Context::functions(standard).settable_ctx_params(nullptr, standard.provctx());
    }
    static const OSSL_PARAM* gettable(void*, void* provctx) {
        const auto& standard = static_cast<const Provider*>(provctx)->standard;
        return Context::functions(standard).gettable_ctx_params(nullptr, standard.provctx());
    }
};

template <class Algorithm>
struct Kdf : KdfContextFunctions<Algorithm, KdfTwin> {
    using Base = KdfContextFunctions<Algorithm, KdfTwin>;
    static void reset(void* context) { Base::of(context).reset(); }
    static int derive(void* context, unsigned char* out, std::size_t len, const OSSL_PARAM params[]) {
        auto& self = Base::of(context);
        if (self.set(params) != 1) return 0;
        if (self.derive(out, len)) return 1;
        auto* twin = self.twin();
        return twin == nullptr ? 0 : self.functions().derive(twin, out, len, nullptr);
    }
    static inline const OSSL_DISPATCH kTable[] = {
        entry(OSSL_FUNC_KDF_NEWCTX, Base::newctx),
        entry(OSSL_FUNC_KDF_FREECTX, Base::freectx),
        entry(OSSL_FUNC_KDF_DUPCTX, Base::dupctx),
        entry(OSSL_FUNC_KDF_RESET, reset),
        entry(OSSL_FUNC_KDF_DERIVE, derive),
        entry(OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, Base::gettable),
        entry(OSSL_FUNC_KDF_GET_CTX_PARAMS, Base::get),
        entry(OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, Base::settable),
        entry(OSSL_FUNC_KDF_SET_CTX_PARAMS, Base::set),
        {0, nullptr},
    };
};

template <class Algorithm>
struct KdfExchange : KdfContextFunctions<Algorithm, ExchangeTwin> {
    using Base = KdfContextFunctions<Algorithm, ExchangeTwin>;
    /// The key says nothing; what was set before stays.
    static int init(void* context, void* key, const OSSL_PARAM params[]) {
        return key == nullptr ? 0 : Base::set(context, params);
    }
    static int derive(void* context, unsigned char* out, std::size_t* len, std::size_t out_len) {
        auto& self = Base::of(context);
        if (self.derive(out, out_len)) {
            *len = out_len;
            return 1;
        }
        auto* twin = self.twin();
        return twin == nullptr ? 0 : self.functions().derive(twin, out, len, out_len);
    }
    static inline const OSSL_DISPATCH kTable[] = {
        entry(OSSL_FUNC_KEYEXCH_NEWCTX, Base::newctx),
        entry(OSSL_FUNC_KEYEXCH_FREECTX, Base::freectx),
        entry(OSSL_FUNC_KEYEXCH_DUPCTX, Base::dupctx),
        entry(OSSL_FUNC_KEYEXCH_INIT, init),
        entry(OSSL_FUNC_KEYEXCH_DERIVE, derive),
        entry(OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, Base::gettable),
        entry(OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, Base::get),
        entry(OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, Base::settable),
        entry(OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, Base::set),
        {0, nullptr},
    };
};

}  // namespace octavo::provider
