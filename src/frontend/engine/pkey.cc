#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_PKEY_METHODs are what an ENGINE is about
#include "frontend/engine/pkey.hpp"

#include <openssl/core_names.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/made_once.hpp"
#include "frontend/bridge/registered_key.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/methods.hpp"

namespace octavo::engine {
namespace {

using bridge::Curve;

struct Context {
    bridge::RegisteredKey registered;
};

int copy(EVP_PKEY_CTX* to, const EVP_PKEY_CTX*) { return make_state<Context>(to); }

using ReadRaw = int(const EVP_PKEY*, unsigned char*, size_t*);

/// Registers the half of a key that is read so, in its field of the numbers.
octavo_status register_half(const EVP_PKEY* key, const Curve& curve, ReadRaw* read, octavo_number octavo_ec_key::*half,
                            octavo_key& handle) {
    std::array<std::uint8_t, bridge::kMaxPublicBytes> bytes;
    auto len = bytes.size();
    if (read(key, bytes.data(), &len) != 1) return OCTAVO_PORTABLE;
    octavo_ec_key numbers{};
    numbers.size = sizeof numbers;
    numbers.curve = curve.id;
    numbers.*half = {bytes.data(), len};
    const auto status = octavo_key_create_ec(&numbers, &handle);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return status;
}

/// Gives `key` private || public.
bool take_pair(const PkeyKind& kind, const Curve& curve, std::span<std::uint8_t> pair, EVP_PKEY* key) {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, kind.oid, nullptr), EVP_PKEY_CTX_free);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, pair.data(), curve.private_len),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, pair.data() + curve.private_len, curve.public_len),
        OSSL_PARAM_construct_end()};
    return context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
           EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params) == 1;
}

constexpr int kNids[] = {NID_X25519, NID_X448, NID_hkdf, NID_tls1_prf, NID_ED25519};
/// The last is for programs that name the engine: where it is the default, OpenSSL 3.0 signs no certificates with such keys.
constexpr int kNumDefaults = static_cast<int>(std::size(kNids)) - 1;
/// An engine's own, in the order of kNids: OpenSSL frees the defaults with the engine, before its destroy function.
using Methods = std::array<EVP_PKEY_METHOD*, std::size(kNids)>;

int index() noexcept {
    static bridge::MadeOnce<int, -1> once;
    return once.get([] { return ENGINE_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr); });
}

int find(ENGINE* engine, EVP_PKEY_METHOD** wanted, const int** nids, int nid) {
    if (wanted == nullptr) {
        *nids = kNids;
        return kNumDefaults;
    }
    const auto* methods = static_cast<const Methods*>(ENGINE_get_ex_data(engine, index()));
    *wanted = nullptr;
    for (std::size_t i = 0; methods != nullptr && i < methods->size(); ++i)
        if (kNids[i] == nid) *wanted = (*methods)[i];
    return *wanted != nullptr ? 1 : 0;
}

}  // namespace

const EVP_PKEY_METHOD* own_method(int nid) noexcept { return EVP_PKEY_meth_find(nid); }

EVP_PKEY_METHOD* copy_method(int nid) noexcept {
    const auto* own = own_method(nid);
    if (own == nullptr) return nullptr;
    int flags = 0;
    EVP_PKEY_meth_get0_info(nullptr, &flags, own);
    auto* method = EVP_PKEY_meth_new(nid, flags);
    if (method == nullptr) return nullptr;
    EVP_PKEY_meth_copy(method, own);
    EVP_PKEY_meth_set_init(method, make_state<Context>);
    EVP_PKEY_meth_set_cleanup(method, free_state<Context>);
    EVP_PKEY_meth_set_copy(method, copy);
    return method;
}

bool ready(EVP_PKEY_CTX* context, const PkeyKind& kind, octavo_operation operation, octavo_key& handle) noexcept {
    const auto* key = EVP_PKEY_CTX_get0_pkey(context);
    auto* state = static_cast<Context*>(EVP_PKEY_CTX_get_data(context));
    const auto& curve = *bridge::only_curve(kind.kind);
    if (!is_enabled(kind.algorithm) || key == nullptr || state == nullptr || !bridge::offload(curve, operation))
        return false;
    return state->registered.get(handle, [&](octavo_key& made) noexcept {
        return operation == OCTAVO_EDDSA_VERIFY
                   ? register_half(key, curve, EVP_PKEY_get_raw_public_key, &octavo_ec_key::public_key, made)
                   : register_half(key, curve, EVP_PKEY_get_raw_private_key, &octavo_ec_key::private_key, made);
    });
}

octavo_status generate_on_octavo(const PkeyKind& kind, EVP_PKEY* key) noexcept {
    const auto& curve = *bridge::only_curve(kind.kind);
    octavo_key handle{};
    if (!is_enabled(kind.algorithm) || !bridge::offload(curve, OCTAVO_EC_GENERATE) || !bridge::generator(curve, handle))
        return OCTAVO_PORTABLE;
    std::array<std::uint8_t, bridge::kMaxPrivateBytes + bridge::kMaxPublicBytes> memory;
    const auto pair = std::span(memory).first(curve.private_len + curve.public_len);
    auto status = bridge::run_raw(handle, OCTAVO_EC_GENERATE, {}, pair);
    ERR_set_mark();
    if (status == OCTAVO_OK && !take_pair(kind, curve, pair, key)) status = OCTAVO_PORTABLE;
    ERR_pop_to_mark();
    OPENSSL_cleanse(memory.data(), memory.size());
    return status;
}

Generate* own_generate(int nid) noexcept {
    Generate* found = nullptr;
    EVP_PKEY_meth_get_keygen(own_method(nid), nullptr, &found);
    return found;
}

bool add_pkey_methods(ENGINE* engine) noexcept {
    auto* methods = new (std::nothrow) Methods{};
    if (methods == nullptr || ENGINE_set_ex_data(engine, index(), methods) != 1) {
        delete methods;
        return false;
    }
    *methods = {make_x25519(), make_x448(), make_hkdf(), make_tls1_prf(), make_ed25519()};
    return std::find(methods->begin(), methods->end(), nullptr) == methods->end() &&
           ENGINE_set_pkey_meths(engine, find) == 1;
}

void forget_pkey_methods(ENGINE* engine) noexcept {
    auto* methods = static_cast<Methods*>(ENGINE_get_ex_data(engine, index()));
    if (methods != nullptr) std::for_each(methods->begin() + kNumDefaults, methods->end(), EVP_PKEY_meth_free);
    delete methods;
    ENGINE_set_ex_data(engine, index(), nullptr);
}

}  // namespace octavo::engine
