#define OPENSSL_SUPPRESS_DEPRECATED  // an RSA_METHOD is what an ENGINE is about
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "frontend/bridge/block.hpp"
#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/made_once.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/methods.hpp"
#include "frontend/engine/offload.hpp"
#include "frontend/engine/rsa_key.hpp"

// What is plain sailing runs here: encode, one raw operation, decode. All else, every refusal included, is OpenSSL's own method's. Only a
// block that was decrypted is judged here, in constant time, and nothing that follows depends on what it held.
namespace octavo::engine {
namespace {

using bridge::Block;
using Bytes = std::span<const std::uint8_t>;
using Function = int(int, const unsigned char*, unsigned char*, RSA*, int);

constexpr int kFailed = -1;

const RSA_METHOD* own() noexcept { return RSA_PKCS1_OpenSSL(); }

/// One call of OpenSSL's.
struct Call {
    Bytes in;
    unsigned char* out;
    RSA* rsa;
    int padding;
    std::size_t len;

    Call(int from_len, const unsigned char* from, unsigned char* to, RSA* key, int pad) noexcept
        : in(from, static_cast<std::size_t>(std::max(from_len, 0))), out(to), rsa(key), padding(pad), len(0) {
        const auto* n = RSA_get0_n(key);
        if (n != nullptr) len = static_cast<std::size_t>(BN_num_bytes(n));
    }
    int in_len() const noexcept { return static_cast<int>(in.size()); }
    int size() const noexcept { return static_cast<int>(len); }
    bool size_is_ours() const noexcept { return len != 0 && len <= bridge::kMaxModulusBytes; }
};

bool handle_for(const Call& call, octavo_operation operation, octavo_key& handle) {
    if (!is_enabled(Algorithm::rsa) || !call.size_is_ours()) return false;
    auto* key = RsaKey::of(call.rsa);
    if (key == nullptr) return false;
    const bool has_handle =
        operation == OCTAVO_RSA_PRIVATE ? key->private_handle(call.rsa, handle) : key->public_handle(call.rsa, handle);
    return has_handle && bridge::is_worth(handle, operation);
}

/// Raises nothing: OpenSSL's own method will say what is wrong.
template <class Encode>
bool quietly(Encode&& encode) {
    ERR_set_mark();
    const bool good = encode();
    ERR_pop_to_mark();
    return good;
}

bool encode_to_sign(const Call& call, Block& em) {
    switch (call.padding) {
        case RSA_PKCS1_PADDING:
            return RSA_padding_add_PKCS1_type_1(em.data(), em.size(), call.in.data(), call.in_len()) == 1;
        case RSA_X931_PADDING:
            return RSA_padding_add_X931(em.data(), em.size(), call.in.data(), call.in_len()) == 1;
        case RSA_NO_PADDING:
            return RSA_padding_add_none(em.data(), em.size(), call.in.data(), call.in_len()) == 1;
        default:
            return false;
    }
}

bool encode_to_encrypt(const Call& call, Block& em) {
    switch (call.padding) {
        case RSA_PKCS1_PADDING:
            return RSA_padding_add_PKCS1_type_2(em.data(), em.size(), call.in.data(), call.in_len()) == 1;
        case RSA_PKCS1_OAEP_PADDING:
            return RSA_padding_add_PKCS1_OAEP(em.data(), em.size(), call.in.data(), call.in_len(), nullptr, 0) == 1;
        case RSA_NO_PADDING:
            return RSA_padding_add_none(em.data(), em.size(), call.in.data(), call.in_len()) == 1;
        default:
            return false;
    }
}

/// ANSI X9.31: of s and n - s the lesser is the signature; the one that ends in 12 is the encoding. Both are public.
enum class X931 { lesser, ends_in_12 };
bool choose_x931(const Call& call, X931 wanted, std::span<std::uint8_t> block) {
    using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
    const Number s(BN_bin2bn(block.data(), call.size(), nullptr), BN_free), other(BN_new(), BN_free);
    if (s == nullptr || other == nullptr || BN_sub(other.get(), RSA_get0_n(call.rsa), s.get()) != 1) return false;
    const bool keep = wanted == X931::lesser ? BN_cmp(s.get(), other.get()) <= 0 : (block.back() & 0xf) == 12;
    return keep || BN_bn2binpad(other.get(), block.data(), call.size()) == call.size();
}

octavo_status sign(const Call& call) {
    octavo_key handle{};
    if (!handle_for(call, OCTAVO_RSA_PRIVATE, handle)) return OCTAVO_PORTABLE;
    Block em(call.len);
    if (!quietly([&] { return encode_to_sign(call, em); })) return OCTAVO_PORTABLE;
    const auto status = bridge::run_raw(handle, OCTAVO_RSA_PRIVATE, em.bytes(), em.bytes());
    if (status != OCTAVO_OK) return status;
    if (call.padding == RSA_X931_PADDING && !choose_x931(call, X931::lesser, em.bytes())) return OCTAVO_PORTABLE;
    std::copy_n(em.data(), call.len, call.out);
    return OCTAVO_OK;
}

int private_encrypt(int in_len, const unsigned char* in, unsigned char* out, RSA* rsa, int padding) {
    const Call call(in_len, in, out, rsa, padding);
    const auto status = sign(call);
    if (status == OCTAVO_OK) return call.size();
    if (is_final(status, __func__)) return kFailed;
    return RSA_meth_get_priv_enc(own())(in_len, in, out, rsa, padding);
}

/// From OpenSSL 3.2 on, and in builds that took that over, a wrong padding decrypts to a message made from the key and the ciphertext: that
/// is for OpenSSL to do. Such a default provider has a parameter for it.
bool rejects_implicitly() noexcept {
    static bridge::MadeOnce<int, -1> once;
    const auto find_out = [] {
        const std::unique_ptr<EVP_ASYM_CIPHER, decltype(&EVP_ASYM_CIPHER_free)> rsa(
            EVP_ASYM_CIPHER_fetch(nullptr, "RSA", "provider=default"), EVP_ASYM_CIPHER_free);
        const auto* settable = rsa == nullptr ? nullptr : EVP_ASYM_CIPHER_settable_ctx_params(rsa.get());
        return settable == nullptr || OSSL_PARAM_locate_const(settable, "implicit-rejection") != nullptr;
    };
    return once.get([&] { return quietly(find_out) ? 1 : 0; }) == 1;
}

bool is_ours_to_decode(const Call& call) {
    return call.padding == RSA_NO_PADDING || call.padding == RSA_PKCS1_OAEP_PADDING ||
           (call.padding == RSA_PKCS1_PADDING && !rejects_implicitly());
}

/// The length of the message, or -1; constant time in the block, errors included.
int decode_decrypted(const Call& call, Block& em) {
    switch (call.padding) {
        case RSA_PKCS1_PADDING:
            return RSA_padding_check_PKCS1_type_2(call.out, em.size(), em.data(), em.size(), em.size());
        case RSA_PKCS1_OAEP_PADDING:
            return RSA_padding_check_PKCS1_OAEP(call.out, em.size(), em.data(), em.size(), em.size(), nullptr, 0);
        default:
            std::copy_n(em.data(), call.len, call.out);
            return em.size();
    }
}

int private_decrypt(int in_len, const unsigned char* in, unsigned char* out, RSA* rsa, int padding) {
    const Call call(in_len, in, out, rsa, padding);
    octavo_key handle{};
    if (call.in.size() == call.len && is_ours_to_decode(call) && handle_for(call, OCTAVO_RSA_PRIVATE, handle)) {
        Block em(call.len);
        // Fails on public grounds alone.
        const auto status = bridge::run_raw(handle, OCTAVO_RSA_PRIVATE, call.in, em.bytes());
        if (status == OCTAVO_OK) return decode_decrypted(call, em);
        if (is_final(status, __func__)) return kFailed;
    }
    return RSA_meth_get_priv_dec(own())(in_len, in, out, rsa, padding);
}

octavo_status encrypt(const Call& call) {
    octavo_key handle{};
    if (!handle_for(call, OCTAVO_RSA_PUBLIC, handle)) return OCTAVO_PORTABLE;
    Block em(call.len);
    if (!quietly([&] { return encode_to_encrypt(call, em); })) return OCTAVO_PORTABLE;
    return bridge::run_raw(handle, OCTAVO_RSA_PUBLIC, em.bytes(), {call.out, call.len});
}

int public_encrypt(int in_len, const unsigned char* in, unsigned char* out, RSA* rsa, int padding) {
    const Call call(in_len, in, out, rsa, padding);
    const auto status = encrypt(call);
    if (status == OCTAVO_OK) return call.size();
    if (is_final(status, __func__)) return kFailed;
    return RSA_meth_get_pub_enc(own())(in_len, in, out, rsa, padding);
}

/// The length of what a signature says, or -1. Public.
int decode_verified(const Call& call, Block& em) {
    switch (call.padding) {
        case RSA_PKCS1_PADDING:
            return RSA_padding_check_PKCS1_type_1(call.out, em.size(), em.data(), em.size(), em.size());
        case RSA_X931_PADDING:
            if (!choose_x931(call, X931::ends_in_12, em.bytes())) return kFailed;
            return RSA_padding_check_X931(call.out, em.size(), em.data(), em.size(), em.size());
        case RSA_NO_PADDING:
            std::copy_n(em.data(), call.len, call.out);
            return em.size();
        default:
            return kFailed;
    }
}

octavo_status recover(const Call& call, int& len) {
    octavo_key handle{};
    if (call.in.size() != call.len || !handle_for(call, OCTAVO_RSA_PUBLIC, handle)) return OCTAVO_PORTABLE;
    Block em(call.len);
    const auto status = bridge::run_raw(handle, OCTAVO_RSA_PUBLIC, call.in, em.bytes());
    if (status != OCTAVO_OK) return status;
    return quietly([&] { return (len = decode_verified(call, em)) >= 0; }) ? OCTAVO_OK : OCTAVO_PORTABLE;
}

int public_decrypt(int in_len, const unsigned char* in, unsigned char* out, RSA* rsa, int padding) {
    int len = kFailed;
    const auto status = recover({in_len, in, out, rsa, padding}, len);
    if (status == OCTAVO_OK || is_final(status, __func__)) return len;
    return RSA_meth_get_pub_dec(own())(in_len, in, out, rsa, padding);
}

int init(RSA* rsa) { return RSA_meth_get_init(own())(rsa) == 1 && RsaKey::attach(rsa) ? 1 : 0; }

int finish(RSA* rsa) {
    RsaKey::detach(rsa);
    return RSA_meth_get_finish(own())(rsa);
}

/// OpenSSL's, with the four operations replaced; the exponentiations that it calls itself stay its own.
RSA_METHOD* make() noexcept {
    auto* method = RSA_meth_dup(own());
    if (method == nullptr || RSA_meth_set1_name(method, "Octavo RSA") != 1) return nullptr;
    RSA_meth_set_priv_enc(method, private_encrypt);
    RSA_meth_set_priv_dec(method, private_decrypt);
    RSA_meth_set_pub_enc(method, public_encrypt);
    RSA_meth_set_pub_dec(method, public_decrypt);
    RSA_meth_set_init(method, init);
    RSA_meth_set_finish(method, finish);
    return method;
}

}  // namespace

const RSA_METHOD* rsa_method() noexcept {
    static bridge::MadeOnce<const RSA_METHOD*, nullptr> once;
    return once.get(make);
}

}  // namespace octavo::engine
