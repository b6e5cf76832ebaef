#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_PKEY_METHODs are what an ENGINE is about
#include <openssl/evp.h>

#include <array>

#include "frontend/bridge/bridge.hpp"
#include "frontend/engine/pkey.hpp"

// A derivation or a key pair that Octavo does well runs here. All else, every refusal included, is OpenSSL's own method's.
namespace octavo::engine {
namespace {

using bridge::KeyKind;
using Derive = int(EVP_PKEY_CTX*, unsigned char*, size_t*);

constexpr PkeyKind kX25519 = {NID_X25519, "1.3.101.110", KeyKind::x25519, Algorithm::x25519};
constexpr PkeyKind kX448 = {NID_X448, "1.3.101.111", KeyKind::x448, Algorithm::x448};

Derive* derive_of(int nid) noexcept {
    Derive* found = nullptr;
    EVP_PKEY_meth_get_derive(own_method(nid), nullptr, &found);
    return found;
}
Derive *const own_x25519 = derive_of(NID_X25519), *const own_x448 = derive_of(NID_X448);  // as the engine is loaded

octavo_status derive_on_octavo(const PkeyKind& kind, EVP_PKEY_CTX* context, unsigned char* out, size_t* out_len) {
    const auto* peer = EVP_PKEY_CTX_get0_peerkey(context);
    const auto& curve = *bridge::only_curve(kind.kind);
    std::array<std::uint8_t, bridge::kMaxPublicBytes> theirs;
    auto theirs_len = theirs.size();
    octavo_key handle{};
    if (peer == nullptr || *out_len < curve.secret_len ||
        EVP_PKEY_get_raw_public_key(peer, theirs.data(), &theirs_len) != 1 ||
        !ready(context, kind, OCTAVO_ECDH_DERIVE, handle))
        return OCTAVO_PORTABLE;
    const auto status =
        bridge::run_raw(handle, OCTAVO_ECDH_DERIVE, std::span(theirs).first(theirs_len), {out, curve.secret_len});
    if (status == OCTAVO_OK) *out_len = curve.secret_len;
    return status;
}

template <const PkeyKind& kKind>
int derive(EVP_PKEY_CTX* context, unsigned char* out, size_t* out_len) {
    if (out != nullptr) {
        const auto status = derive_on_octavo(kKind, context, out, out_len);
        if (status == OCTAVO_OK) return 1;
        if (is_final(status, __func__)) return 0;
    }
    return (kKind.nid == NID_X25519 ? own_x25519 : own_x448)(context, out, out_len);
}

/// "Parameters" are the type alone. OpenSSL's own method has no such function, and libssl 3 asks for it in TLS 1.3.
template <const PkeyKind& kKind>
int generate_parameters(EVP_PKEY_CTX*, EVP_PKEY* key) {
    return EVP_PKEY_set_type(key, kKind.nid);
}
int generate_parameters_init(EVP_PKEY_CTX*) { return 1; }

template <const PkeyKind& kKind>
EVP_PKEY_METHOD* make() noexcept {
    auto* method = copy_method(kKind.nid);
    if (method == nullptr) return nullptr;
    EVP_PKEY_meth_set_paramgen(method, generate_parameters_init, generate_parameters<kKind>);
    EVP_PKEY_meth_set_keygen(method, nullptr, generate<kKind>);
    EVP_PKEY_meth_set_derive(method, nullptr, derive<kKind>);
    return method;
}

}  // namespace

EVP_PKEY_METHOD* make_x25519() noexcept { return make<kX25519>(); }
EVP_PKEY_METHOD* make_x448() noexcept { return make<kX448>(); }

}  // namespace octavo::engine
