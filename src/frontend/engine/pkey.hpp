#pragma once

#include <openssl/evp.h>

#include <new>

#include "frontend/bridge/curve.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/offload.hpp"

/// What the EVP_PKEY_METHODs of X25519, X448 and Ed25519 share. Whoever includes this defines OPENSSL_SUPPRESS_DEPRECATED.
namespace octavo::engine {

/// A kind of key that has a curve of its own.
///   oid  under which OpenSSL's providers know it, and no engine is asked for it
struct PkeyKind {
    int nid;
    const char* oid;
    bridge::KeyKind kind;
    Algorithm algorithm;
};

/// What an EVP_PKEY_CTX keeps for a method: as EVP_PKEY_meth_set_init() and EVP_PKEY_meth_set_cleanup() want it.
template <class State>
int make_state(EVP_PKEY_CTX* context) {
    auto* state = new (std::nothrow) State;
    if (state == nullptr) return raise(Reason::no_memory, __func__);
    EVP_PKEY_CTX_set_data(context, state);
    return 1;
}
template <class State>
void free_state(EVP_PKEY_CTX* context) {
    delete static_cast<State*>(EVP_PKEY_CTX_get_data(context));
    EVP_PKEY_CTX_set_data(context, nullptr);
}

/// OpenSSL's own method; null where that is not found.
const EVP_PKEY_METHOD* own_method(int nid) noexcept;

/// A method that is OpenSSL's own but for what contexts keep: an Octavo key of their EVP_PKEY, which stays the same. Null when memory has run out.
EVP_PKEY_METHOD* copy_method(int nid) noexcept;

/// Whether the operation may run on Octavo, here and now; then `handle` is the private or, for OCTAVO_EDDSA_VERIFY, the public half of the context's
/// key.
bool ready(EVP_PKEY_CTX* context, const PkeyKind& kind, octavo_operation operation, octavo_key& handle) noexcept;

/// Makes a pair in lanes and gives it to `key`, both halves: as a key of OpenSSL's provider, for of its older kind there is no public way to do so.
octavo_status generate_on_octavo(const PkeyKind& kind, EVP_PKEY* key) noexcept;

using Generate = int(EVP_PKEY_CTX*, EVP_PKEY*);
/// OpenSSL's own.
Generate* own_generate(int nid) noexcept;

/// As EVP_PKEY_meth_set_keygen() wants it.
template <const PkeyKind& kKind>
int generate(EVP_PKEY_CTX* context, EVP_PKEY* key) {
    const auto status = generate_on_octavo(kKind, key);
    if (status == OCTAVO_OK) return 1;
    if (is_final(status, __func__)) return 0;
    return own_generate(kKind.nid)(context, key);
}

/// For the engine that they are given to. Null when memory has run out.
EVP_PKEY_METHOD* make_x25519() noexcept;
EVP_PKEY_METHOD* make_x448() noexcept;
EVP_PKEY_METHOD* make_ed25519() noexcept;
EVP_PKEY_METHOD* make_hkdf() noexcept;
EVP_PKEY_METHOD* make_tls1_prf() noexcept;

}  // namespace octavo::engine
