#define OPENSSL_SUPPRESS_DEPRECATED  // an EC_KEY_METHOD is what an ENGINE is about
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <memory>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/ecdsa_der.hpp"
#include "frontend/bridge/made_once.hpp"
#include "frontend/engine/ec_key.hpp"
#include "frontend/engine/methods.hpp"
#include "frontend/engine/offload.hpp"

// An operation that Octavo does well runs here: in a job, or on a curve whose lanes need no company. All else, every refusal included, is
// OpenSSL's own method's.
namespace octavo::engine {
namespace {

using bridge::Curve;
using Bytes = std::span<const std::uint8_t>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_clear_free)>;

/// What Octavo takes; a hash that is longer goes OpenSSL's way.
constexpr std::size_t kMaxDigest = 64;
/// Of a verification that came to no judgement.
constexpr int kFailed = -1;

using Init = int(EC_KEY*);
using Finish = void(EC_KEY*);
using Copy = int(EC_KEY*, const EC_KEY*);
using SetGroup = int(EC_KEY*, const EC_GROUP*);
using SetPrivate = int(EC_KEY*, const BIGNUM*);
using SetPublic = int(EC_KEY*, const EC_POINT*);
using Keygen = int(EC_KEY*);
using Compute = int(unsigned char**, size_t*, const EC_POINT*, const EC_KEY*);
using Sign = int(int, const unsigned char*, int, unsigned char*, unsigned*, const BIGNUM*, const BIGNUM*, EC_KEY*);
using Setup = int(EC_KEY*, BN_CTX*, BIGNUM**, BIGNUM**);
using SignSig = ECDSA_SIG*(const unsigned char*, int, const BIGNUM*, const BIGNUM*, EC_KEY*);
using Verify = int(int, const unsigned char*, int, const unsigned char*, int, EC_KEY*);
using VerifySig = int(const unsigned char*, int, const ECDSA_SIG*, EC_KEY*);

/// OpenSSL's own functions; null where it has none.
struct Own {
    Init* init = nullptr;
    Finish* finish = nullptr;
    SetGroup* set_group = nullptr;
    SetPrivate* set_private = nullptr;
    SetPublic* set_public = nullptr;
    Keygen* keygen = nullptr;
    Compute* compute = nullptr;
    Sign* sign = nullptr;
    Setup* setup = nullptr;
    SignSig* sign_sig = nullptr;
    Verify* verify = nullptr;
    VerifySig* verify_sig = nullptr;

    Own() noexcept {
        const auto* method = EC_KEY_OpenSSL();
        Copy* copy = nullptr;
        EC_KEY_METHOD_get_init(method, &init, &finish, &copy, &set_group, &set_private, &set_public);
        EC_KEY_METHOD_get_keygen(method, &keygen);
        EC_KEY_METHOD_get_compute_key(method, &compute);
        EC_KEY_METHOD_get_sign(method, &sign, &setup, &sign_sig);
        EC_KEY_METHOD_get_verify(method, &verify, &verify_sig);
    }
};

const Own own_functions;  // as the engine is loaded: a guard could be left locked by a fork
const Own& own() noexcept { return own_functions; }

/// OpenSSL's own sign and verify call the method for the pair r, s: it is decided then whose the operation is, and the instance was asked.
thread_local bool is_left = false;
template <class Call>
auto leave(Call&& call) {
    is_left = true;
    const auto answer = call();
    is_left = false;
    return answer;
}

/// A key of ours where this operation may run on Octavo. The curve is null where it may not.
struct Ready {
    const Curve* curve = nullptr;
    octavo_key handle{};
};

Ready ready(const EC_KEY* key, Algorithm algorithm, octavo_operation operation) {
    Ready answer;
    auto* state = EcKey::of(key);
    if (is_left || !is_enabled(algorithm) || state == nullptr) return answer;
    const bool is_public = operation == OCTAVO_ECDSA_VERIFY;
    if (is_public ? EC_KEY_get0_public_key(key) == nullptr : EC_KEY_get0_private_key(key) == nullptr) return answer;
    const auto* curve = state->curve(key);
    if (curve != nullptr && bridge::offload(*curve, operation) && state->handle(key, *curve, answer.handle))
        answer.curve = curve;
    return answer;
}

bool fits(int digest_len) { return digest_len > 0 && static_cast<std::size_t>(digest_len) <= kMaxDigest; }

/// r || s.
struct Signature {
    std::array<std::uint8_t, bridge::kMaxSignatureBytes> memory;
    std::size_t len = 0;
    Bytes bytes() const { return Bytes(memory).first(len); }
};

octavo_status sign_on_octavo(const unsigned char* digest, int len, const EC_KEY* key, Signature& signature) {
    if (!fits(len)) return OCTAVO_PORTABLE;
    const auto on = ready(key, Algorithm::ecdsa, OCTAVO_ECDSA_SIGN);
    if (on.curve == nullptr) return OCTAVO_PORTABLE;
    signature.len = on.curve->signature_len;
    return bridge::run_raw(on.handle, OCTAVO_ECDSA_SIGN, {digest, static_cast<std::size_t>(len)},
                           std::span(signature.memory).first(signature.len));
}

int sign(int type, const unsigned char* digest, int digest_len, unsigned char* out, unsigned* out_len,
         const BIGNUM* k_inverse, const BIGNUM* r, EC_KEY* key) {
    Signature signature;
    // A nonce that was prepared is to be used.
    if (out != nullptr && k_inverse == nullptr && r == nullptr) {
        const auto status = sign_on_octavo(digest, digest_len, key, signature);
        if (status == OCTAVO_OK) {
            *out_len = static_cast<unsigned>(bridge::write_signature(signature.bytes(), out));
            return 1;
        }
        if (is_final(status, __func__)) return 0;
    }
    return leave([&] { return own().sign(type, digest, digest_len, out, out_len, k_inverse, r, key); });
}

ECDSA_SIG* signature_of(Bytes signature) {
    const auto half = signature.size() / 2;
    auto* r = BN_bin2bn(signature.data(), static_cast<int>(half), nullptr);
    auto* s = BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr);
    auto* made = ECDSA_SIG_new();
    if (r != nullptr && s != nullptr && made != nullptr && ECDSA_SIG_set0(made, r, s) == 1) return made;
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(made);
    return nullptr;
}

ECDSA_SIG* sign_sig(const unsigned char* digest, int digest_len, const BIGNUM* k_inverse, const BIGNUM* r,
                    EC_KEY* key) {
    Signature signature;
    if (k_inverse == nullptr && r == nullptr) {
        const auto status = sign_on_octavo(digest, digest_len, key, signature);
        if (status == OCTAVO_OK) return signature_of(signature.bytes());
        if (is_final(status, __func__)) return nullptr;
    }
    return own().sign_sig(digest, digest_len, k_inverse, r, key);
}

/// `read(signature)` writes r || s, or answers false where OpenSSL must judge.
template <class Read>
octavo_status verify_on_octavo(const unsigned char* digest, int digest_len, const EC_KEY* key, Read&& read) {
    if (!fits(digest_len)) return OCTAVO_PORTABLE;
    const auto on = ready(key, Algorithm::ecdsa, OCTAVO_ECDSA_VERIFY);
    if (on.curve == nullptr) return OCTAVO_PORTABLE;
    std::array<std::uint8_t, bridge::kMaxSignatureBytes + kMaxDigest> in;
    const auto signature = std::span(in).first(on.curve->signature_len);
    if (!read(signature)) return OCTAVO_PORTABLE;
    std::copy_n(digest, digest_len, in.begin() + static_cast<std::ptrdiff_t>(signature.size()));
    return bridge::run_raw(on.handle, OCTAVO_ECDSA_VERIFY,
                           std::span(in).first(signature.size() + static_cast<std::size_t>(digest_len)), {});
}

int verify(int type, const unsigned char* digest, int digest_len, const unsigned char* der, int der_len, EC_KEY* key) {
    const auto read = [&](std::span<std::uint8_t> signature) {
        return der_len > 0 && bridge::read_signature({der, static_cast<std::size_t>(der_len)}, signature);
    };
    const auto status = verify_on_octavo(digest, digest_len, key, read);
    if (status == OCTAVO_OK) return 1;
    if (is_final(status, __func__)) return kFailed;
    return leave([&] { return own().verify(type, digest, digest_len, der, der_len, key); });
}

int verify_sig(const unsigned char* digest, int digest_len, const ECDSA_SIG* sig, EC_KEY* key) {
    const auto read = [sig](std::span<std::uint8_t> signature) {
        const auto* r = ECDSA_SIG_get0_r(sig);
        const auto* s = ECDSA_SIG_get0_s(sig);
        const auto half = static_cast<int>(signature.size() / 2);
        return r != nullptr && s != nullptr && BN_is_negative(r) == 0 && BN_is_negative(s) == 0 &&
               BN_bn2binpad(r, signature.data(), half) == half &&
               BN_bn2binpad(s, signature.data() + half, half) == half;
    };
    const auto status = sig == nullptr ? OCTAVO_PORTABLE : verify_on_octavo(digest, digest_len, key, read);
    if (status == OCTAVO_OK) return 1;
    if (is_final(status, __func__)) return kFailed;
    return own().verify_sig(digest, digest_len, sig, key);
}

octavo_status derive_on_octavo(const EC_POINT* peer, const EC_KEY* key, unsigned char** out, size_t* out_len) {
    const auto on = ready(key, Algorithm::ecdh, OCTAVO_ECDH_DERIVE);
    if (on.curve == nullptr || peer == nullptr) return OCTAVO_PORTABLE;
    std::array<std::uint8_t, bridge::kMaxPublicBytes> point;
    const auto point_len = EC_POINT_point2oct(EC_KEY_get0_group(key), peer, POINT_CONVERSION_UNCOMPRESSED, point.data(),
                                              point.size(), nullptr);
    if (point_len != on.curve->public_len) return OCTAVO_PORTABLE;
    auto* secret = static_cast<unsigned char*>(OPENSSL_malloc(on.curve->secret_len));
    if (secret == nullptr) return OCTAVO_PORTABLE;
    const auto status = bridge::run_raw(on.handle, OCTAVO_ECDH_DERIVE, std::span(point).first(point_len),
                                        {secret, on.curve->secret_len});
    if (status != OCTAVO_OK) {
        OPENSSL_free(secret);
        return status;
    }
    *out = secret;
    *out_len = on.curve->secret_len;
    return OCTAVO_OK;
}

int compute_key(unsigned char** out, size_t* out_len, const EC_POINT* peer, const EC_KEY* key) {
    const auto status = derive_on_octavo(peer, key, out, out_len);
    if (status == OCTAVO_OK) return 1;
    if (is_final(status, __func__)) return 0;
    return own().compute(out, out_len, peer, key);
}

/// Gives the key private || public.
bool take_pair(EC_KEY* key, const Curve& curve, Bytes pair) {
    const auto* group = EC_KEY_get0_group(key);
    const Number d(BN_secure_new(), BN_clear_free);
    const std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> q(EC_POINT_new(group), EC_POINT_free);
    return d != nullptr && q != nullptr &&
           BN_bin2bn(pair.data(), static_cast<int>(curve.private_len), d.get()) != nullptr &&
           EC_POINT_oct2point(group, q.get(), pair.data() + curve.private_len, curve.public_len, nullptr) == 1 &&
           EC_KEY_set_private_key(key, d.get()) == 1 && EC_KEY_set_public_key(key, q.get()) == 1;
}

octavo_status generate_on_octavo(EC_KEY* key) {
    auto* state = EcKey::of(key);
    if (!is_enabled(Algorithm::ecdh) || state == nullptr) return OCTAVO_PORTABLE;
    const auto* curve = state->curve(key);
    octavo_key handle{};
    if (curve == nullptr || !bridge::offload(*curve, OCTAVO_EC_GENERATE) || !bridge::generator(*curve, handle))
        return OCTAVO_PORTABLE;
    std::array<std::uint8_t, bridge::kMaxPrivateBytes + bridge::kMaxPublicBytes> memory;
    const auto pair = std::span(memory).first(curve->private_len + curve->public_len);
    auto status = bridge::run_raw(handle, OCTAVO_EC_GENERATE, {}, pair);
    if (status == OCTAVO_OK && !take_pair(key, *curve, pair)) status = OCTAVO_PORTABLE;
    OPENSSL_cleanse(memory.data(), memory.size());
    return status;
}

int generate(EC_KEY* key) {
    const auto status = generate_on_octavo(key);
    if (status == OCTAVO_OK) return 1;
    if (is_final(status, __func__)) return 0;
    return own().keygen(key);
}

int init(EC_KEY* key) { return (own().init == nullptr || own().init(key) == 1) && EcKey::attach(key) ? 1 : 0; }

void finish(EC_KEY* key) {
    EcKey::detach(key);
    if (own().finish != nullptr) own().finish(key);
}

int set_group(EC_KEY* key, const EC_GROUP* group) {
    if (auto* state = EcKey::of(key)) state->forget();
    return own().set_group == nullptr ? 1 : own().set_group(key, group);
}

int set_private(EC_KEY* key, const BIGNUM* number) {
    if (auto* state = EcKey::of(key)) state->forget_numbers();
    return own().set_private == nullptr ? 1 : own().set_private(key, number);
}

int set_public(EC_KEY* key, const EC_POINT* point) {
    if (auto* state = EcKey::of(key)) state->forget_numbers();
    return own().set_public == nullptr ? 1 : own().set_public(key, point);
}

EC_KEY_METHOD* make() noexcept {
    auto* method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (method == nullptr) return nullptr;
    // No function for copies: where there is one, OpenSSL 3 refuses to copy parameters alone.
    EC_KEY_METHOD_set_init(method, init, finish, nullptr, set_group, set_private, set_public);
    EC_KEY_METHOD_set_keygen(method, generate);
    EC_KEY_METHOD_set_compute_key(method, compute_key);
    EC_KEY_METHOD_set_sign(method, sign, own().setup, sign_sig);
    EC_KEY_METHOD_set_verify(method, verify, verify_sig);
    return method;
}

}  // namespace

const EC_KEY_METHOD* ec_method() noexcept {
    static bridge::MadeOnce<const EC_KEY_METHOD*, nullptr> once;
    return once.get(make);
}

}  // namespace octavo::engine
