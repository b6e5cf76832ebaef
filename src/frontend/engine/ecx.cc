#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_PKEY_METHODs are what an ENGINE is about
#include <openssl/engine.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>
#include <new>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/curve.hpp"
#include "frontend/bridge/registered_key.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/methods.hpp"
#include "frontend/engine/offload.hpp"

// A derivation that Octavo does well runs here. All else, every refusal included, is OpenSSL's own method's, and so are key pairs: it has no public
// way to take both halves of one, and would compute the public half again.
namespace octavo::engine {
namespace {

using bridge::KeyKind;
using Derive = int(EVP_PKEY_CTX*, unsigned char*, size_t*);

/// What belongs to one context: the Octavo key of its EVP_PKEY, which stays the same.
struct Context {
    bridge::RegisteredKey registered;
};

int init(EVP_PKEY_CTX* context) {
    auto* state = new (std::nothrow) Context;
    if (state == nullptr) return raise(Reason::no_memory, __func__);
    EVP_PKEY_CTX_set_data(context, state);
    return 1;
}

void cleanup(EVP_PKEY_CTX* context) {
    delete static_cast<Context*>(EVP_PKEY_CTX_get_data(context));
    EVP_PKEY_CTX_set_data(context, nullptr);
}

int copy(EVP_PKEY_CTX* to, const EVP_PKEY_CTX*) { return init(to); }

octavo_status register_numbers(const EVP_PKEY* key, const bridge::Curve& curve, octavo_key& handle) {
    std::array<std::uint8_t, bridge::kMaxPrivateBytes> secret;
    auto len = secret.size();
    if (EVP_PKEY_get_raw_private_key(key, secret.data(), &len) != 1) return OCTAVO_ERR_KEY_PRIVATE;
    octavo_ec_key numbers{};
    numbers.size = sizeof numbers;
    numbers.curve = curve.id;
    numbers.private_key = {secret.data(), len};
    const auto status = octavo_key_create_ec(&numbers, &handle);
    OPENSSL_cleanse(secret.data(), secret.size());
    return status;
}

template <KeyKind kind>
octavo_status derive_on_octavo(EVP_PKEY_CTX* context, unsigned char* out, size_t* out_len) {
    const auto algorithm = kind == KeyKind::x25519 ? Algorithm::x25519 : Algorithm::x448;
    auto* key = EVP_PKEY_CTX_get0_pkey(context);
    auto* peer = EVP_PKEY_CTX_get0_peerkey(context);
    auto* state = static_cast<Context*>(EVP_PKEY_CTX_get_data(context));
    const auto& curve = *bridge::only_curve(kind);
    if (!is_enabled(algorithm) || key == nullptr || peer == nullptr || state == nullptr ||
        *out_len < curve.secret_len || !bridge::offload(curve, OCTAVO_ECDH_DERIVE))
        return OCTAVO_PORTABLE;
    std::array<std::uint8_t, bridge::kMaxPublicBytes> theirs;
    auto theirs_len = theirs.size();
    octavo_key handle{};
    if (EVP_PKEY_get_raw_public_key(peer, theirs.data(), &theirs_len) != 1 ||
        !state->registered.get(handle, [&](octavo_key& made) noexcept { return register_numbers(key, curve, made); }))
        return OCTAVO_PORTABLE;
    const auto status =
        bridge::run_raw(handle, OCTAVO_ECDH_DERIVE, std::span(theirs).first(theirs_len), {out, curve.secret_len});
    if (status == OCTAVO_OK) *out_len = curve.secret_len;
    return status;
}

/// OpenSSL's own, where that is found and all could be set.
template <int nid>
const EVP_PKEY_METHOD* own() noexcept {
    static const EVP_PKEY_METHOD* const method = EVP_PKEY_meth_find(nid);
    return method;
}

template <int nid, KeyKind kind>
int derive(EVP_PKEY_CTX* context, unsigned char* out, size_t* out_len) {
    if (out != nullptr) {
        const auto status = derive_on_octavo<kind>(context, out, out_len);
        if (status == OCTAVO_OK) return 1;
        if (is_final(status, __func__)) return 0;
    }
    static Derive* const openssl_derive = [] {
        Derive* found = nullptr;
        EVP_PKEY_meth_get_derive(own<nid>(), nullptr, &found);
        return found;
    }();
    return openssl_derive(context, out, out_len);
}

/// "Parameters" are the type alone. OpenSSL's own method has no such function, and libssl 3 asks for it in TLS 1.3.
template <int nid>
int generate_parameters(EVP_PKEY_CTX*, EVP_PKEY* key) {
    return EVP_PKEY_set_type(key, nid);
}
int generate_parameters_init(EVP_PKEY_CTX*) { return 1; }

template <int nid, KeyKind kind>
EVP_PKEY_METHOD* make() noexcept {
    int flags = 0;
    if (own<nid>() == nullptr) return nullptr;
    EVP_PKEY_meth_get0_info(nullptr, &flags, own<nid>());
    auto* method = EVP_PKEY_meth_new(nid, flags);
    if (method == nullptr) return nullptr;
    EVP_PKEY_meth_copy(method, own<nid>());
    EVP_PKEY_meth_set_init(method, init);
    EVP_PKEY_meth_set_cleanup(method, cleanup);
    EVP_PKEY_meth_set_copy(method, copy);
    EVP_PKEY_meth_set_paramgen(method, generate_parameters_init, generate_parameters<nid>);
    EVP_PKEY_meth_set_derive(method, nullptr, derive<nid, kind>);
    return method;
}

constexpr int kNids[] = {NID_X25519, NID_X448, NID_hkdf, NID_tls1_prf};

/// An engine's own: OpenSSL frees them with the engine, before its destroy function.
using Methods = std::array<EVP_PKEY_METHOD*, std::size(kNids)>;

int index() noexcept {
    static const int number = ENGINE_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return number;
}

int find(ENGINE* engine, EVP_PKEY_METHOD** wanted, const int** nids, int nid) {
    if (wanted == nullptr) {
        *nids = kNids;
        return static_cast<int>(std::size(kNids));
    }
    const auto* methods = static_cast<const Methods*>(ENGINE_get_ex_data(engine, index()));
    *wanted = nullptr;
    for (std::size_t i = 0; methods != nullptr && i < methods->size(); ++i)
        if (kNids[i] == nid) *wanted = (*methods)[i];
    return *wanted != nullptr ? 1 : 0;
}

}  // namespace

bool add_pkey_methods(ENGINE* engine) noexcept {
    auto* methods = new (std::nothrow) Methods{};
    if (methods == nullptr || ENGINE_set_ex_data(engine, index(), methods) != 1) {
        delete methods;
        return false;
    }
    *methods = {make<NID_X25519, KeyKind::x25519>(), make<NID_X448, KeyKind::x448>(), make_hkdf(), make_tls1_prf()};
    return std::find(methods->begin(), methods->end(), nullptr) == methods->end() &&
           ENGINE_set_pkey_meths(engine, find) == 1;
}

void forget_pkey_methods(ENGINE* engine) noexcept {
    delete static_cast<Methods*>(ENGINE_get_ex_data(engine, index()));
    ENGINE_set_ex_data(engine, index(), nullptr);
}

}  // namespace octavo::engine
