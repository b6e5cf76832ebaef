#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_PKEY_METHODs are what an ENGINE is about
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "frontend/bridge/bridge.hpp"
#include "frontend/engine/pkey.hpp"

// A signature, a verification or a key pair that Octavo does well runs here. All else, every refusal included, is OpenSSL's own method's.
namespace octavo::engine {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Sign = int(EVP_MD_CTX*, unsigned char*, size_t*, const unsigned char*, size_t);
using Verify = int(EVP_MD_CTX*, const unsigned char*, size_t, const unsigned char*, size_t);

constexpr PkeyKind kEd25519 = {NID_ED25519, "1.3.101.112", bridge::KeyKind::ed25519, Algorithm::ecdsa};
constexpr std::size_t kSignatureLen = 64;
/// Of a verification that came to no judgement.
constexpr int kFailed = -1;

/// OpenSSL's own functions.
struct Own {
    Sign* sign = nullptr;
    Verify* verify = nullptr;
    Own() noexcept {
        EVP_PKEY_meth_get_digestsign(own_method(kEd25519.nid), &sign);
        EVP_PKEY_meth_get_digestverify(own_method(kEd25519.nid), &verify);
    }
};
const Own own_functions;  // as the engine is loaded: a guard could be left locked by a fork
const Own& own() noexcept { return own_functions; }

octavo_status sign_on_octavo(EVP_MD_CTX* context, Bytes message, unsigned char* out, size_t* len) {
    octavo_key handle{};
    if (*len < kSignatureLen || message.size() > OCTAVO_MAX_INPUT ||
        !ready(EVP_MD_CTX_get_pkey_ctx(context), kEd25519, OCTAVO_EDDSA_SIGN, handle))
        return OCTAVO_PORTABLE;
    const auto status = bridge::run_raw(handle, OCTAVO_EDDSA_SIGN, message, {out, kSignatureLen});
    if (status == OCTAVO_OK) *len = kSignatureLen;
    return status;
}

int sign(EVP_MD_CTX* context, unsigned char* out, size_t* len, const unsigned char* message, size_t message_len) {
    if (out != nullptr) {
        const auto status = sign_on_octavo(context, {message, message_len}, out, len);
        if (status == OCTAVO_OK) return 1;
        if (is_final(status, __func__)) return 0;
    }
    return own().sign(context, out, len, message, message_len);
}

octavo_status verify_on_octavo(EVP_MD_CTX* context, Bytes signature, Bytes message) {
    octavo_key handle{};
    if (signature.size() != kSignatureLen || message.size() > OCTAVO_MAX_INPUT - signature.size() ||
        !ready(EVP_MD_CTX_get_pkey_ctx(context), kEd25519, OCTAVO_EDDSA_VERIFY, handle))
        return OCTAVO_PORTABLE;
    std::array<std::uint8_t, OCTAVO_MAX_INPUT> in;
    const auto end =
        std::copy(message.begin(), message.end(), std::copy(signature.begin(), signature.end(), in.begin()));
    return bridge::run_raw(handle, OCTAVO_EDDSA_VERIFY, {in.begin(), end}, {});
}

int verify(EVP_MD_CTX* context, const unsigned char* signature, size_t len, const unsigned char* message,
           size_t message_len) {
    const auto status = verify_on_octavo(context, {signature, len}, {message, message_len});
    if (status == OCTAVO_OK) return 1;
    if (is_final(status, __func__)) return kFailed;
    return own().verify(context, signature, len, message, message_len);
}

}  // namespace

EVP_PKEY_METHOD* make_ed25519() noexcept {
    auto* method = copy_method(kEd25519.nid);
    if (method == nullptr) return nullptr;
    EVP_PKEY_meth_set_keygen(method, nullptr, generate<kEd25519>);
    EVP_PKEY_meth_set_digestsign(method, sign);
    EVP_PKEY_meth_set_digestverify(method, verify);
    return method;
}

}  // namespace octavo::engine
