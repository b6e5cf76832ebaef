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
#include "frontend/engine/ec_key.hpp"
#include "frontend/engine/errors.hpp"
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

const Own& own() noexcept {
    static const Own functions;
    return functions;
}

/// A key of ours where this operation may run on Octavo. The curve is null where it may not.
struct Ready {
    const Curve* curve = nullptr;
    octavo_key handle{};
};

Ready ready(const EC_KEY* key, Algorithm algorithm, octavo_operation operation) {
    Ready answer;
    auto* state = EcKey::of(key);
    if (!is_enabled(algorithm) || state == nullptr) return answer;
    const bool is_public = operation == OCTAVO_ECDSA_VERIFY;
    if (is_public ? EC_KEY_get0_public_key(key) == nullptr : EC_KEY_get0_private_key(key) == nullptr) return answer;
    const auto* curve = state->curve(key);
    if (curve != nullptr && bridge::offload(*curve, operation) && state->handle(key, *curve, answer.handle))
        answer.curve = curve;
    return answer;
}

bool fits(int digest_len) { return digest_len > 0 && static_cast<std::size_t>(digest_len) <= kMaxDigest; }

/// r || s. Empty where OpenSSL must do it.
using Signature = std::array<std::uint8_t, bridge::kMaxSignatureBytes>;
std::span<std::uint8_t> sign_on_octavo(const unsigned char* digest, int len, const EC_KEY* key, Signature& memory) {
    if (!fits(len)) return {};
    const auto on = ready(key, Algorithm::ecdsa, OCTAVO_ECDSA_SIGN);
    if (on.curve == nullptr) return {};
    const auto signature = std::span(memory).first(on.curve->signature_len);
    const auto status =
        bridge::run_raw(on.handle, OCTAVO_ECDSA_SIGN, {digest, static_cast<std::size_t>(len)}, signature);
    return status == OCTAVO_OK ? signature : std::span<std::uint8_t>{};
}

int sign(int type, const unsigned char* digest, int digest_len, unsigned char* out, unsigned* out_len,
         const BIGNUM* k_inverse, const BIGNUM* r, EC_KEY* key) {
    Signature memory;
    // A nonce that was prepared is to be used.
    if (out != nullptr && k_inverse == nullptr && r == nullptr) {
        const auto signature = sign_on_octavo(digest, digest_len, key, memory);
        if (!signature.empty()) {
            *out_len = static_cast<unsigned>(bridge::write_signature(signature, out));
            return 1;
        }
        if (bridge::job_is_cancelled()) return raise(Reason::job_cancelled, __func__);
    }
    return own().sign(type, digest, digest_len, out, out_len, k_inverse, r, key);
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
    Signature memory;
    if (k_inverse == nullptr && r == nullptr) {
        const auto signature = sign_on_octavo(digest, digest_len, key, memory);
        if (!signature.empty()) return signature_of(signature);
        if (bridge::job_is_cancelled()) return raise(Reason::job_cancelled, __func__), nullptr;
    }
    return own().sign_sig(digest, digest_len, k_inverse, r, key);
}

/// `read(signature)` writes r || s, or answers false where OpenSSL must judge.
template <class Read>
bool verify_on_octavo(const unsigned char* digest, int digest_len, const EC_KEY* key, Read&& read) {
    if (!fits(digest_len)) return false;
    const auto on = ready(key, Algorithm::ecdsa, OCTAVO_ECDSA_VERIFY);
    if (on.curve == nullptr) return false;
    std::array<std::uint8_t, bridge::kMaxSignatureBytes + kMaxDigest> in;
    const auto signature = std::span(in).first(on.curve->signature_len);
    if (!read(signature)) return false;
    std::copy_n(digest, digest_len, in.begin() + static_cast<std::ptrdiff_t>(signature.size()));
    return bridge::run_raw(on.handle, OCTAVO_ECDSA_VERIFY,
                           std::span(in).first(signature.size() + static_cast<std::size_t>(digest_len)),
                           {}) == OCTAVO_OK;
}

int verify(int type, const unsigned char* digest, int digest_len, const unsigned char* der, int der_len, EC_KEY* key) {
    const auto read = [&](std::span<std::uint8_t> signature) {
        return der_len > 0 && bridge::read_signature({der, static_cast<std::size_t>(der_len)}, signature);
    };
    if (verify_on_octavo(digest, digest_len, key, read)) return 1;
    return own().verify(type, digest, digest_len, der, der_len, key);
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
    if (sig != nullptr && verify_on_octavo(digest, digest_len, key, read)) return 1;
    return own().verify_sig(digest, digest_len, sig, key);
}

bool derive_on_octavo(const EC_POINT* peer, const EC_KEY* key, unsigned char** out, size_t* out_len) {
    const auto on = ready(key, Algorithm::ecdh, OCTAVO_ECDH_DERIVE);
    if (on.curve == nullptr || peer == nullptr) return false;
    std::array<std::uint8_t, bridge::kMaxPublicBytes> point;
    const auto point_len = EC_POINT_point2oct(EC_KEY_get0_group(key), peer, POINT_CONVERSION_UNCOMPRESSED, point.data(),
                                              point.size(), nullptr);
    if (point_len != on.curve->public_len) return false;
    auto* secret = static_cast<unsigned char*>(OPENSSL_malloc(on.curve->secret_len));
    if (secret == nullptr) return false;
    if (bridge::run_raw(on.handle, OCTAVO_ECDH_DERIVE, std::span(point).first(point_len),
                        {secret, on.curve->secret_len}) != OCTAVO_OK) {
        OPENSSL_free(secret);
        return false;
    }
    *out = secret;
    *out_len = on.curve->secret_len;
    return true;
}

int compute_key(unsigned char** out, size_t* out_len, const EC_POINT* peer, const EC_KEY* key) {
    if (derive_on_octavo(peer, key, out, out_len)) return 1;
    if (bridge::job_is_cancelled()) return raise(Reason::job_cancelled, __func__);
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

bool generate_on_octavo(EC_KEY* key) {
    auto* state = EcKey::of(key);
    if (!is_enabled(Algorithm::ecdh) || state == nullptr) return false;
    const auto* curve = state->curve(key);
    octavo_key handle{};
    if (curve == nullptr || !bridge::offload(*curve, OCTAVO_EC_GENERATE) || !bridge::generator(*curve, handle))
        return false;
    std::array<std::uint8_t, bridge::kMaxPrivateBytes + bridge::kMaxPublicBytes> memory;
    const auto pair = std::span(memory).first(curve->private_len + curve->public_len);
    const bool good =
        bridge::run_raw(handle, OCTAVO_EC_GENERATE, {}, pair) == OCTAVO_OK && take_pair(key, *curve, pair);
    OPENSSL_cleanse(memory.data(), memory.size());
    return good;
}

int generate(EC_KEY* key) {
    if (generate_on_octavo(key)) return 1;
    if (bridge::job_is_cancelled()) return raise(Reason::job_cancelled, __func__);
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
    static const EC_KEY_METHOD* const method = make();
    return method;
}

}  // namespace octavo::engine
