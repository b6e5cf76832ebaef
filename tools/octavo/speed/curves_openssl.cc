#include "speed/curves_openssl.hpp"

#include <fmt/core.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>
#include <string>

#include "installation.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

void require_good(bool good, const char* what) {
    if (!good) throw Failure(fmt::format("EVP does not {}: {}", what, openssl_error()));
}

using Group = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_free>>;
using NumberContext = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;

/// scalar G on a curve with a group.
class BasePoint {
public:
    explicit BasePoint(const Curve& curve)
        : scratch_(BN_CTX_new_ex(default_context())),
          group_(EC_GROUP_new_by_curve_name_ex(default_context(), nullptr, EC_curve_nist2nid(curve.group))),
          x_(BN_new()),
          y_(BN_new()) {
        if (group_) point_.reset(EC_POINT_new(group_.get()));
        require_good(point_ && scratch_ && x_ && y_, "make a group");
    }
    /// As far as the affine coordinates.
    void multiply(const BIGNUM* scalar) {
        require_good(
            EC_POINT_mul(group_.get(), point_.get(), scalar, nullptr, nullptr, scratch_.get()) == 1 &&
                EC_POINT_get_affine_coordinates(group_.get(), point_.get(), x_.get(), y_.get(), scratch_.get()) == 1,
            "multiply a point");
    }
    Bytes uncompressed(const Curve& curve) const {
        Bytes bytes(1 + 2 * curve.len);
        require_good(EC_POINT_point2oct(group_.get(), point_.get(), POINT_CONVERSION_UNCOMPRESSED, bytes.data(),
                                        bytes.size(), scratch_.get()) == bytes.size(),
                     "write a point");
        return bytes;
    }

private:
    NumberContext scratch_;
    Group group_;
    Point point_;
    Number x_, y_;
};

Bytes public_key_of(const Bytes& private_key, const Curve& curve) {
    if (curve.group == nullptr) {
        const Pkey key{EVP_PKEY_new_raw_private_key_ex(default_context(), curve.type, nullptr, private_key.data(),
                                                       private_key.size())};
        require_good(key != nullptr, "take a private key");
        return curve_public_bytes(key.get());
    }
    const Number scalar{BN_bin2bn(private_key.data(), static_cast<int>(private_key.size()), nullptr)};
    BasePoint base(curve);
    base.multiply(scalar.get());
    return base.uncompressed(curve);
}

/// One scalar's point after the other.
class ScalarSide final : public Side {
public:
    explicit ScalarSide(const Curve& curve) : curve_(curve), pair_(make_curve_key(curve)), base_(curve) {
        const Bytes bytes = curve_private_bytes(pair_.get(), curve);
        scalar_.reset(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    }

    void run(std::size_t calls) override {
        for (std::size_t i = 0; i < calls; ++i) base_.multiply(scalar_.get());
    }
    std::size_t ops_per_call() const noexcept override { return 1; }
    void check() const override {
        if (base_.uncompressed(curve_) != curve_public_bytes(pair_.get())) throw Failure("OpenSSL contradicts itself");
    }

private:
    const Curve& curve_;
    Pkey pair_;
    BasePoint base_;
    Number scalar_;
};

}  // namespace

PkeyContext curve_keygen_context(const EvpPlace& place, const Curve& curve) {
    PkeyContext made{EVP_PKEY_CTX_new_from_name(place.context, curve.type, place.properties)};
    require_good(made && EVP_PKEY_keygen_init(made.get()) == 1, "start to make keys");
    if (curve.group == nullptr) return made;
    std::string group = curve.group;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                                 OSSL_PARAM_construct_end()};
    require_good(EVP_PKEY_CTX_set_params(made.get(), params) == 1, "take the group to make keys");
    return made;
}

Pkey make_curve_key(const Curve& curve) {
    EVP_PKEY* key = nullptr;
    require_good(EVP_PKEY_generate(curve_keygen_context(default_place(), curve).get(), &key) == 1, "make a key");
    return Pkey{key};
}

PkeyContext derive_context(const EvpPlace& place, EVP_PKEY* key, EVP_PKEY* peer) {
    PkeyContext made{EVP_PKEY_CTX_new_from_pkey(place.context, key, place.properties)};
    require_good(made && EVP_PKEY_derive_init(made.get()) == 1 && EVP_PKEY_derive_set_peer(made.get(), peer) == 1,
                 "start to derive a secret");
    if (EVP_PKEY_is_a(key, "DH")) require_good(EVP_PKEY_CTX_set_dh_pad(made.get(), 1) == 1, "keep leading zeros");
    return made;
}

Bytes derived_secret(EVP_PKEY* key, EVP_PKEY* peer) {
    const auto context = derive_context(default_place(), key, peer);
    std::size_t len = 0;
    require_good(EVP_PKEY_derive(context.get(), nullptr, &len) == 1, "tell the length of a secret");
    Bytes secret(len);
    require_good(EVP_PKEY_derive(context.get(), secret.data(), &len) == 1, "derive a secret");
    return secret;
}

Bytes curve_private_bytes(const EVP_PKEY* pair, const Curve& curve) {
    Bytes bytes(curve.len);
    std::size_t len = 0;
    if (curve.group == nullptr) {
        require_good(EVP_PKEY_get_raw_private_key(pair, bytes.data(), &(len = bytes.size())) == 1,
                     "give a private key");
        return bytes;
    }
    BIGNUM* raw = nullptr;
    require_good(EVP_PKEY_get_bn_param(pair, OSSL_PKEY_PARAM_PRIV_KEY, &raw) == 1, "give a private key");
    const Number scalar{raw};
    require_good(BN_bn2binpad(raw, bytes.data(), static_cast<int>(bytes.size())) > 0, "write a private key");
    return bytes;
}

Bytes curve_public_bytes(const EVP_PKEY* pair) {
    std::array<std::uint8_t, 160> bytes;
    std::size_t len = 0;
    require_good(EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, bytes.data(), bytes.size(), &len) == 1,
                 "give a public key");
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(len)};
}

bool curve_pair_is_right(const Bytes& pair, const Curve& curve) {
    const auto middle = pair.begin() + static_cast<std::ptrdiff_t>(curve.len);
    return public_key_of({pair.begin(), middle}, curve) == Bytes(middle, pair.end());
}

Bytes random_message() {
    Bytes message(kMessageLen);
    require_good(RAND_bytes(message.data(), static_cast<int>(message.size())) == 1, "give random bytes");
    return message;
}

EvpSignature::EvpSignature(const EvpPlace& place, EVP_PKEY* pkey, bool signs)
    : max_len_(static_cast<std::size_t>(EVP_PKEY_get_size(pkey))) {
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        of_message_.reset(EVP_MD_CTX_new());
        auto* init = signs ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex;
        require_good(of_message_ &&
                         init(of_message_.get(), nullptr, nullptr, place.context, place.properties, pkey, nullptr) == 1,
                     "start a signature");
        return;
    }
    of_digest_.reset(EVP_PKEY_CTX_new_from_pkey(place.context, pkey, place.properties));
    auto* init = signs ? EVP_PKEY_sign_init : EVP_PKEY_verify_init;
    require_good(of_digest_ && init(of_digest_.get()) == 1, "start a signature");
}

bool EvpSignature::sign(const Bytes& message, Bytes& signature) noexcept {
    std::size_t len = max_len_;
    signature.resize(len);
    const int good = of_message_
                         ? EVP_DigestSign(of_message_.get(), signature.data(), &len, message.data(), message.size())
                         : EVP_PKEY_sign(of_digest_.get(), signature.data(), &len, message.data(), message.size());
    signature.resize(len);
    return good == 1;
}

bool EvpSignature::verify(const Bytes& message, const Bytes& signature) noexcept {
    const int good =
        of_message_
            ? EVP_DigestVerify(of_message_.get(), signature.data(), signature.size(), message.data(), message.size())
            : EVP_PKEY_verify(of_digest_.get(), signature.data(), signature.size(), message.data(), message.size());
    return good == 1;
}

const OSSL_PROVIDER* EvpSignature::provider() const noexcept {
    return EVP_PKEY_CTX_get0_provider(of_message_ ? EVP_MD_CTX_get_pkey_ctx(of_message_.get()) : of_digest_.get());
}

SidePtr curve_openssl_scalar_side(const Curve& curve) { return std::make_unique<ScalarSide>(curve); }

}  // namespace octavo::cli
