#pragma once

#include <openssl/core_dispatch.h>

#include <memory>
#include <new>

#include "frontend/provider/key.hpp"
#include "frontend/provider/key_types.hpp"
#include "frontend/provider/provider.hpp"

/// Key management that is the default side's: what is Octavo's about a key is only where its operations run.
namespace octavo::provider {
namespace twin_keymgmt {

inline const Provider& provider_of(void* provctx) { return *static_cast<const Provider*>(provctx); }
inline Key* key_of(void* key) { return static_cast<Key*>(key); }
inline const Key* key_of(const void* key) { return static_cast<const Key*>(key); }

template <KeyKind kind>
const KeyFunctions& functions_of(const Provider& provider) {
    return provider.standard.keys(kind);
}

template <KeyKind kind>
void* create(void* provctx) {
    const auto& provider = provider_of(provctx);
    return Key::adopt(provider, kind, functions_of<kind>(provider).create(provider.standard.provctx()));
}

inline void free_key(void* key) {
    if (key != nullptr) key_of(key)->release();
}

inline int has(const void* key, int selection) {
    return key != nullptr && key_of(key)->functions().has(key_of(key)->twin(), selection);
}

inline int match(const void* left, const void* right, int selection) {
    return key_of(left)->functions().match(key_of(left)->twin(), key_of(right)->twin(), selection);
}

inline int validate(const void* key, int selection, int check_type) {
    return key_of(key)->functions().validate(key_of(key)->twin(), selection, check_type);
}

inline int import(void* key, int selection, const OSSL_PARAM params[]) {
    if (key == nullptr) return 0;
    key_of(key)->forget();
    return key_of(key)->functions().import(key_of(key)->twin(), selection, params);
}

inline int export_to(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
    return key != nullptr && key_of(key)->functions().export_to(key_of(key)->twin(), selection, callback, argument);
}

inline void* dup(const void* from, int selection) {
    const auto* key = key_of(from);
    return Key::adopt(key->provider(), key->kind(), key->functions().dup(key->twin(), selection));
}

inline int get_params(void* key, OSSL_PARAM params[]) {
    return key_of(key)->functions().get_params(key_of(key)->twin(), params);
}

template <KeyKind kind>
const OSSL_PARAM* gettable_params(void* provctx) {
    const auto& provider = provider_of(provctx);
    return functions_of<kind>(provider).gettable_params(provider.standard.provctx());
}

/// A generation in progress: the default side's, and whose key it will be.
struct Generation {
    const Provider& provider;
    const KeyFunctions& functions;
    KeyKind kind;
    void* twin;
};

template <KeyKind kind>
void* gen_init(void* provctx, int selection, const OSSL_PARAM params[]) {
    const auto& provider = provider_of(provctx);
    const auto& functions = functions_of<kind>(provider);
    auto* twin = functions.gen_init(provider.standard.provctx(), selection, params);
    if (twin == nullptr) return nullptr;
    auto* generation = new (std::nothrow) Generation{provider, functions, kind, twin};
    if (generation == nullptr) functions.gen_cleanup(twin);
    return generation;
}

inline int gen_set_template(void* context, void* pattern) {
    const auto* generation = static_cast<Generation*>(context);
    return generation->functions.gen_set_template(generation->twin, key_of(pattern)->twin());
}

inline int gen_set_params(void* context, const OSSL_PARAM params[]) {
    const auto* generation = static_cast<Generation*>(context);
    return generation->functions.gen_set_params(generation->twin, params);
}

template <KeyKind kind>
const OSSL_PARAM* gen_settable_params(void* context, void* provctx) {
    const auto& provider = provider_of(provctx);
    const auto* generation = static_cast<Generation*>(context);
    return functions_of<kind>(provider).gen_settable_params(generation == nullptr ? nullptr : generation->twin,
                                                            provider.standard.provctx());
}

inline void* gen(void* context, OSSL_CALLBACK* progress, void* argument) {
    const auto* generation = static_cast<Generation*>(context);
    return Key::adopt(generation->provider, generation->kind,
                      generation->functions.gen(generation->twin, progress, argument));
}

inline void gen_cleanup(void* context) {
    auto* generation = static_cast<Generation*>(context);
    if (generation == nullptr) return;
    generation->functions.gen_cleanup(generation->twin);
    delete generation;
}

}  // namespace twin_keymgmt

#define OCTAVO_STORED_KEY_FUNCTIONS(kind, validation)                                                          \
    entry(OSSL_FUNC_KEYMGMT_NEW, create<kind>), entry(OSSL_FUNC_KEYMGMT_FREE, free_key),                       \
        entry(OSSL_FUNC_KEYMGMT_HAS, has), entry(OSSL_FUNC_KEYMGMT_MATCH, match),                              \
        entry(OSSL_FUNC_KEYMGMT_VALIDATE, validation), entry(OSSL_FUNC_KEYMGMT_IMPORT, import),                \
        entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types<kind>), entry(OSSL_FUNC_KEYMGMT_EXPORT, export_to), \
        entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_types<kind>), entry(OSSL_FUNC_KEYMGMT_DUP, dup),          \
        entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),                                                       \
        entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params<kind>)

#define OCTAVO_KEY_FUNCTIONS(kind, validation)                                                                      \
    OCTAVO_STORED_KEY_FUNCTIONS(kind, validation), entry(OSSL_FUNC_KEYMGMT_GEN_INIT, gen_init<kind>),               \
        entry(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, gen_set_params),                                                    \
        entry(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, gen_settable_params<kind>), entry(OSSL_FUNC_KEYMGMT_GEN, gen), \
        entry(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, gen_cleanup)

}  // namespace octavo::provider
