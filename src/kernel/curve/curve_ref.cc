#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/wipe.hpp"
#include "kernel/curve/curve.hpp"
#include "kernel/evp_ref.hpp"
#include "kernel/openssl_ref.hpp"

namespace octavo::kernel::curve {
namespace {

constexpr std::size_t kMaxScalar = 66, kMaxPublic = 133;
constexpr std::size_t kMaxDer = 8 + 2 * (kMaxScalar + 1);

constexpr Curve weierstrass(std::uint32_t id, const char* name, std::size_t len) {
    return {id, name, Family::weierstrass, len, 1 + 2 * len, len, 2 * len};
}
constexpr std::array kCurves = {
    weierstrass(1, "P-256", 32),
    weierstrass(2, "P-384", 48),
    weierstrass(3, "P-521", 66),
    weierstrass(4, "P-224", 28),
    weierstrass(5, "secp256k1", 32),
    weierstrass(6, "brainpoolP256r1", 32),
    weierstrass(7, "brainpoolP384r1", 48),
    weierstrass(8, "brainpoolP512r1", 64),
    Curve{16, "X25519", Family::montgomery, 32, 32, 32, 0},
    Curve{17, "X448", Family::montgomery, 56, 56, 56, 0},
    Curve{18, "ED25519", Family::edwards, 32, 32, 0, 64},
    Curve{19, "ED448", Family::edwards, 57, 57, 0, 114},
};

const EC_GROUP* group_of(const Curve& curve) noexcept {
    static std::array<std::atomic<NamedGroup*>, kCurves.size()> newest;
    return kernel::group_of(curve.name, newest[static_cast<std::size_t>(&curve - kCurves.data())]);
}

Fault check_scalar(const EC_GROUP& group, Bytes scalar) noexcept {
    const BnPtr number{BN_secure_new()};
    if (!number || BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), number.get()) == nullptr)
        return Fault::no_memory;
    const bool good = !BN_is_zero(number.get()) && BN_cmp(number.get(), EC_GROUP_get0_order(&group)) < 0;
    return good ? Fault::ok : Fault::private_key;
}

Fault check_point(const EC_GROUP& group, Bytes bytes, MutableBytes public_key) noexcept {
    const BnCtxPtr ctx{BN_CTX_new()};
    const PointPtr point{EC_POINT_new(&group)};
    if (!point || !ctx) return Fault::no_memory;
    if (EC_POINT_oct2point(&group, point.get(), bytes.data(), bytes.size(), ctx.get()) != 1 ||
        EC_POINT_is_at_infinity(&group, point.get()) == 1)
        return Fault::public_key;
    const auto written = EC_POINT_point2oct(&group, point.get(), POINT_CONVERSION_UNCOMPRESSED, public_key.data(),
                                            public_key.size(), ctx.get());
    return written == public_key.size() ? Fault::ok : Fault::no_memory;
}

/// scalar G, uncompressed.
bool multiply_base(const EC_GROUP& group, Bytes scalar, MutableBytes public_key) noexcept {
    const BnCtxPtr ctx{BN_CTX_secure_new()};
    const PointPtr point{EC_POINT_new(&group)};
    const BnPtr number{BN_secure_new()};
    if (!ctx || !point || !number) return false;
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    return BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), number.get()) != nullptr &&
           EC_POINT_mul(&group, point.get(), number.get(), nullptr, nullptr, ctx.get()) == 1 &&
           EC_POINT_point2oct(&group, point.get(), POINT_CONVERSION_UNCOMPRESSED, public_key.data(), public_key.size(),
                              ctx.get()) == public_key.size();
}

PkeyPtr make_weierstrass(const Curve& curve, Bytes scalar, Bytes point) noexcept {
    std::array<std::uint8_t, kMaxScalar> native;  // OSSL_PARAM integers are in native order
    const WipeOnExit wiper{native};
    std::reverse_copy(scalar.begin(), scalar.end(), native.begin());
    std::array<OSSL_PARAM, 4> params{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve.name), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t*>(point.data()),
                                          point.size()),
        OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    if (!scalar.empty()) params[2] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native.data(), scalar.size());
    const PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_name(openssl_library(), "EC", nullptr)};
    EVP_PKEY* key = nullptr;
    if (!ctx || EVP_PKEY_fromdata_init(ctx.get()) <= 0) return nullptr;
    const int selection = scalar.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    if (EVP_PKEY_fromdata(ctx.get(), &key, selection, params.data()) <= 0) return nullptr;
    return PkeyPtr{key};
}

const char* raw_name(const Curve& curve) noexcept {
    switch (curve.id) {
        case 16:
            return kX25519Oid;
        case 17:
            return kX448Oid;
        case 18:
            return kEd25519Oid;
        default:
            return kEd448Oid;
    }
}

PkeyPtr make_raw(const Curve& curve, Bytes private_bytes, Bytes public_bytes) noexcept {
    OSSL_LIB_CTX* lib = openssl_library();
    if (lib == nullptr) return nullptr;
    if (private_bytes.empty())
        return PkeyPtr{
            EVP_PKEY_new_raw_public_key_ex(lib, raw_name(curve), nullptr, public_bytes.data(), public_bytes.size())};
    return PkeyPtr{
        EVP_PKEY_new_raw_private_key_ex(lib, raw_name(curve), nullptr, private_bytes.data(), private_bytes.size())};
}

PkeyPtr make_pkey(const Curve& curve, Bytes private_bytes, Bytes public_bytes) noexcept {
    if (curve.family == Family::weierstrass) return make_weierstrass(curve, private_bytes, public_bytes);
    const bool both = !private_bytes.empty() && !public_bytes.empty();
    if (curve.family == Family::montgomery && both) return raw_pair(raw_name(curve), private_bytes, public_bytes);
    return make_raw(curve, private_bytes, public_bytes);
}

/// r and s to and from the DER of SEC 1, C.5, whose lengths are public.
std::size_t der_integer(Bytes number, std::uint8_t* out) noexcept {
    number = without_leading_zeros(number);
    const bool pad = number.empty() || number[0] >= 0x80;
    *out++ = 0x02;
    *out++ = static_cast<std::uint8_t>(number.size() + pad);
    if (pad) *out++ = 0;
    std::copy(number.begin(), number.end(), out);
    return 2 + pad + number.size();
}

std::size_t to_der(Bytes signature, std::array<std::uint8_t, kMaxDer>& der) noexcept {
    std::array<std::uint8_t, kMaxDer> body;
    const auto half = signature.size() / 2;
    auto len = der_integer(signature.first(half), body.data());
    len += der_integer(signature.subspan(half), body.data() + len);
    std::size_t at = 0;
    der[at++] = 0x30;
    if (len >= 0x80) der[at++] = 0x81;
    der[at++] = static_cast<std::uint8_t>(len);
    std::copy_n(body.data(), len, der.data() + at);
    return at + len;
}

/// OpenSSL's own output: well formed.
void from_der(const std::uint8_t* der, MutableBytes signature) noexcept {
    const auto half = signature.size() / 2;
    const std::uint8_t* at = der + (der[1] == 0x81 ? 3 : 2);
    for (std::size_t i = 0; i < 2; ++i) {
        Bytes number{at + 2, at[1]};
        at += 2 + at[1];
        number = without_leading_zeros(number);
        const auto out = signature.subspan(i * half, half);
        std::fill(out.begin(), out.end(), std::uint8_t{0});
        std::copy(number.begin(), number.end(), out.end() - static_cast<std::ptrdiff_t>(number.size()));
    }
}

}  // namespace

const Curve* find(std::uint32_t id) noexcept {
    for (const auto& curve : kCurves)
        if (curve.id == id) return &curve;
    return nullptr;
}

class Form {
public:
    /// What OpenSSL holds of the key, for one generation. Older ones live as long as the form.
    struct Live {
        PkeyPtr key;
        unsigned generation;
        Live* older;
        ContextPool sign, verify, derive;
    };

    explicit Form(const Curve& curve) noexcept : curve_(curve) {}
    Form(const Form&) = delete;
    Form& operator=(const Form&) = delete;
    ~Form() {
        for (Live* live = live_.load(std::memory_order_acquire); live != nullptr;)
            delete std::exchange(live, live->older);
        wipe(private_.data(), private_.size());
    }

    bool init(Bytes private_bytes, Bytes public_bytes) noexcept {
        private_len_ = private_bytes.size(), public_len_ = public_bytes.size();
        std::copy(private_bytes.begin(), private_bytes.end(), private_.begin());
        std::copy(public_bytes.begin(), public_bytes.end(), public_.begin());
        return live() != nullptr;
    }
    const Curve& curve() const noexcept { return curve_; }
    Live* live() const noexcept {
        return of_this_generation(live_, [this](Live* older, unsigned generation) noexcept -> Live* {
            PkeyPtr key = make_pkey(curve_, Bytes{private_}.first(private_len_), Bytes{public_}.first(public_len_));
            return key ? new (std::nothrow) Live{std::move(key), generation, older, {}, {}, {}} : nullptr;
        });
    }

private:
    const Curve& curve_;
    std::array<std::uint8_t, kMaxScalar> private_{};
    std::array<std::uint8_t, kMaxPublic> public_{};
    std::size_t private_len_ = 0, public_len_ = 0;
    mutable std::atomic<Live*> live_{nullptr};
};

void FormDelete::operator()(Form* form) const noexcept {
    const KeepErrors keep;
    delete form;
}

namespace {

bool sign_digest(Form::Live& live, Bytes digest, MutableBytes signature) noexcept {
    PkeyCtxPtr ctx = live.sign.take(live.key.get(), EVP_PKEY_sign_init);
    std::array<std::uint8_t, kMaxDer> der;
    auto len = der.size();
    if (!ctx || EVP_PKEY_sign(ctx.get(), der.data(), &len, digest.data(), digest.size()) <= 0) return false;
    live.sign.give(std::move(ctx));
    from_der(der.data(), signature);
    return true;
}

bool sign_message(EVP_PKEY* key, Bytes message, MutableBytes signature) noexcept {
    const MdCtxPtr ctx{EVP_MD_CTX_new()};
    auto len = signature.size();
    return ctx && EVP_DigestSignInit_ex(ctx.get(), nullptr, nullptr, openssl_library(), nullptr, key, nullptr) == 1 &&
           EVP_DigestSign(ctx.get(), signature.data(), &len, message.data(), message.size()) == 1 &&
           len == signature.size();
}

Answer verify_digest(Form::Live& live, Bytes signature, Bytes digest) noexcept {
    PkeyCtxPtr ctx = live.verify.take(live.key.get(), EVP_PKEY_verify_init);
    if (!ctx) return Answer::failed;
    std::array<std::uint8_t, kMaxDer> der;
    const auto len = to_der(signature, der);
    const int good = EVP_PKEY_verify(ctx.get(), der.data(), len, digest.data(), digest.size());
    live.verify.give(std::move(ctx));
    return good == 1 ? Answer::ok : Answer::refused;
}

Answer verify_message(EVP_PKEY* key, Bytes signature, Bytes message) noexcept {
    const MdCtxPtr ctx{EVP_MD_CTX_new()};
    if (!ctx || EVP_DigestVerifyInit_ex(ctx.get(), nullptr, nullptr, openssl_library(), nullptr, key, nullptr) != 1)
        return Answer::failed;
    const int good = EVP_DigestVerify(ctx.get(), signature.data(), signature.size(), message.data(), message.size());
    return good == 1 ? Answer::ok : Answer::refused;
}

PkeyPtr make_peer(const Curve& curve, EVP_PKEY* own, Bytes peer) noexcept {
    if (curve.family == Family::montgomery) return make_raw(curve, {}, peer);
    PkeyPtr key{EVP_PKEY_new()};
    if (!key || EVP_PKEY_copy_parameters(key.get(), own) != 1) return nullptr;
    return EVP_PKEY_set1_encoded_public_key(key.get(), peer.data(), peer.size()) == 1 ? std::move(key) : nullptr;
}

PkeyPtr generate_key(const Curve& curve) noexcept {
    OSSL_LIB_CTX* lib = openssl_library();
    if (lib == nullptr) return nullptr;
    const bool ec = curve.family == Family::weierstrass;
    const PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_name(lib, ec ? "EC" : raw_name(curve), nullptr)};
    if (!ctx || EVP_PKEY_keygen_init(ctx.get()) <= 0) return nullptr;
    if (ec && EVP_PKEY_CTX_set_group_name(ctx.get(), curve.name) <= 0) return nullptr;
    EVP_PKEY* key = nullptr;
    EVP_PKEY_generate(ctx.get(), &key);
    return PkeyPtr{key};
}

bool extract(const Curve& curve, EVP_PKEY* key, MutableBytes private_key, MutableBytes public_key) noexcept {
    auto private_len = private_key.size(), public_len = public_key.size();
    if (curve.family != Family::weierstrass)
        return EVP_PKEY_get_raw_private_key(key, private_key.data(), &private_len) == 1 &&
               EVP_PKEY_get_raw_public_key(key, public_key.data(), &public_len) == 1;
    BIGNUM* scalar = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1) return false;
    const BnPtr owned{scalar};
    return BN_bn2binpad(scalar, private_key.data(), static_cast<int>(private_len)) > 0 &&
           EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, public_key.data(), public_len, &public_len) ==
               1 &&
           public_len == public_key.size();
}

}  // namespace

Fault check(const Curve& curve, Bytes private_number, Bytes public_number, MutableBytes public_key) noexcept {
    if (curve.family != Family::weierstrass) {
        std::copy(public_number.begin(), public_number.end(), public_key.begin());
        return Fault::ok;
    }
    const KeepErrors keep;
    const auto* group = group_of(curve);
    if (group == nullptr) return Fault::no_memory;
    auto fault = private_number.empty() ? Fault::ok : check_scalar(*group, private_number);
    if (fault == Fault::ok && !public_number.empty()) fault = check_point(*group, public_number, public_key);
    return fault;
}

bool compute_public(const Curve& curve, Bytes private_key, MutableBytes public_key) noexcept {
    const KeepErrors keep;
    const PkeyPtr key = make_raw(curve, private_key, {});
    auto len = public_key.size();
    return key && EVP_PKEY_get_raw_public_key(key.get(), public_key.data(), &len) == 1 && len == public_key.size();
}

FormPtr make_form(const Curve& curve, Bytes private_number, Bytes public_key) noexcept {
    const KeepErrors keep;
    std::array<std::uint8_t, kMaxPublic> computed;
    if (curve.family == Family::weierstrass && public_key.empty()) {
        const auto* group = group_of(curve);
        const MutableBytes point = MutableBytes{computed}.first(curve.public_len);
        if (group == nullptr || !multiply_base(*group, private_number, point)) return nullptr;
        public_key = point;
    }
    FormPtr form{new (std::nothrow) Form(curve)};
    return form && form->init(private_number, public_key) ? std::move(form) : nullptr;
}

bool sign(const Form& form, Bytes message, MutableBytes signature) noexcept {
    const KeepErrors keep;
    auto* live = form.live();
    if (live == nullptr) return false;
    return form.curve().family == Family::weierstrass ? sign_digest(*live, message, signature)
                                                      : sign_message(live->key.get(), message, signature);
}

Answer verify(const Form& form, Bytes signature, Bytes message) noexcept {
    const KeepErrors keep;
    auto* live = form.live();
    if (live == nullptr) return Answer::failed;
    return form.curve().family == Family::weierstrass ? verify_digest(*live, signature, message)
                                                      : verify_message(live->key.get(), signature, message);
}

Answer derive(const Form& form, Bytes peer, MutableBytes secret) noexcept {
    const KeepErrors keep;
    auto* live = form.live();
    if (live == nullptr) return Answer::failed;
    const PkeyPtr key = make_peer(form.curve(), live->key.get(), peer);
    if (!key) return Answer::refused;
    PkeyCtxPtr ctx = live->derive.take(live->key.get(), EVP_PKEY_derive_init);
    auto len = secret.size();
    // on the curve already, and the group has no other points: no check of the order is needed
    if (!ctx || EVP_PKEY_derive_set_peer_ex(ctx.get(), key.get(), 0) <= 0) return Answer::failed;
    const bool good = EVP_PKEY_derive(ctx.get(), secret.data(), &len) > 0 && len == secret.size();
    live->derive.give(std::move(ctx));
    return good ? Answer::ok : Answer::refused;
}

bool generate(const Curve& curve, MutableBytes private_key, MutableBytes public_key) noexcept {
    const KeepErrors keep;
    const PkeyPtr key = generate_key(curve);
    return key && extract(curve, key.get(), private_key, public_key);
}

}  // namespace octavo::kernel::curve
