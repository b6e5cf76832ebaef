#pragma once

#include <memory>
#include <new>

#include "frontend/provider/provider.hpp"

/// What contexts of operations have in common: a twin, the default side's own context, and a key.
namespace octavo::provider {

/// Owns the twin and a reference to the key. `Functions` is the default side's table for the operation.
template <class KeyType, class Functions>
struct TwinContext {
    const Provider& provider;
    const Functions& functions;
    void* const twin;
    KeyType* key = nullptr;

    TwinContext(const Provider& of, const Functions& its_functions, void* its_twin) noexcept
        : provider(of), functions(its_functions), twin(its_twin) {}
    ~TwinContext() {
        functions.freectx(twin);
        if (key != nullptr) key->release();
    }
    TwinContext(const TwinContext&) = delete;
    TwinContext& operator=(const TwinContext&) = delete;

    /// For a context that was just made, beside a copy of the twin. False where memory ran out.
    bool copy_from(const TwinContext& other) noexcept {
        if (other.key != nullptr) key = other.key->retain();
        return true;
    }
    /// Initialises the twin by `twin_init(twin's key)` and takes the key; a null key leaves the present one. False where the key has no
    /// twin or `twin_init` does not answer 1.
    template <class TwinInit>
    bool start(void* new_key, TwinInit&& twin_init) noexcept {
        auto* given = static_cast<KeyType*>(new_key);
        auto* twin_key = given == nullptr ? nullptr : given->twin();
        if ((given != nullptr && twin_key == nullptr) || twin_init(twin_key) != 1) return false;
        if (given == nullptr) return true;
        given->retain();
        if (key != nullptr) key->release();
        key = given;
        return true;
    }
};

/// A context that owns `twin`; null, and the twin freed, where memory ran out or there is no twin.
template <class Context, class Functions>
std::unique_ptr<Context> adopt_twin(const Provider& provider, const Functions& functions, void* twin) noexcept {
    if (twin == nullptr) return nullptr;
    std::unique_ptr<Context> context(new (std::nothrow) Context(provider, functions, twin));
    if (context == nullptr) functions.freectx(twin);
    return context;
}

/// The functions of a dispatch table that concern the context alone.
///   kTable  takes a DefaultSide and gives its functions for the operation
template <class Context, auto kTable>
struct ContextFunctions {
    /// `Properties` is `const char*` where the operation's newctx has them, else nothing. They chose us among the application's providers;
    /// the twin's context has only one.
    template <class... Properties>
    static void* newctx(void* provctx, Properties...) {
        const auto& provider = *static_cast<const Provider*>(provctx);
        const auto& functions = kTable(provider.standard);
        return adopt_twin<Context>(provider, functions, functions.newctx(provider.standard.provctx(), Properties{}...))
            .release();
    }
    static void freectx(void* context) { delete static_cast<Context*>(context); }
    static void* dupctx(void* context) {
        const auto& from = *static_cast<Context*>(context);
        auto to = adopt_twin<Context>(from.provider, from.functions, from.functions.dupctx(from.twin));
        return to != nullptr && to->copy_from(from) ? to.release() : nullptr;
    }
    static int get_params(void* context, OSSL_PARAM params[]) {
        const auto& self = *static_cast<Context*>(context);
        return self.functions.get_ctx_params(self.twin, params);
    }
    static const OSSL_PARAM* gettable_params(void* context, void* provctx) {
        const auto& standard = static_cast<const Provider*>(provctx)->standard;
        return kTable(standard).gettable_ctx_params(twin_of(context), standard.provctx());
    }
    static const OSSL_PARAM* settable_params(void* context, void* provctx) {
        const auto& standard = static_cast<const Provider*>(provctx)->standard;
        return kTable(standard).settable_ctx_params(twin_of(context), standard.provctx());
    }

private:
    static void* twin_of(void* context) { return context == nullptr ? nullptr : static_cast<Context*>(context)->twin; }
};

/// kTable of signatures with a kind of key.
template <KeyKind kKind>
const SignatureFunctions& signatures_of(const DefaultSide& standard) noexcept {
    return standard.signatures(kKind);
}

}  // namespace octavo::provider
