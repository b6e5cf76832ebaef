#define OPENSSL_SUPPRESS_DEPRECATED  // EC_KEY objects are what an ENGINE is about
#include "frontend/engine/ec_key.hpp"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>

#include <array>

#include "frontend/engine/attached.hpp"

namespace octavo::engine {
namespace {

struct Kind {
    using Key = EC_KEY;
    using State = EcKey;
    static int new_index(CRYPTO_EX_dup* duplicate) {
        return EC_KEY_get_ex_new_index(0, nullptr, nullptr, duplicate, nullptr);
    }
    static void* get(const EC_KEY* key, int index) { return EC_KEY_get_ex_data(key, index); }
    static int set(EC_KEY* key, int index, void* state) { return EC_KEY_set_ex_data(key, index, state); }
};
using Place = Attached<Kind>;

octavo_status register_numbers(const EC_KEY* key, const bridge::Curve& curve, octavo_key& handle) {
    std::array<std::uint8_t, bridge::kMaxPrivateBytes> secret;
    std::array<std::uint8_t, bridge::kMaxPublicBytes> point;
    octavo_ec_key numbers{};
    numbers.size = sizeof numbers;
    numbers.curve = curve.id;
    const auto* d = EC_KEY_get0_private_key(key);
    const auto* q = EC_KEY_get0_public_key(key);
    if (d != nullptr) {
        if (BN_bn2binpad(d, secret.data(), static_cast<int>(curve.private_len)) < 0) return OCTAVO_ERR_KEY_PRIVATE;
        numbers.private_key = {secret.data(), curve.private_len};
    }
    if (q != nullptr) {
        const auto len = EC_POINT_point2oct(EC_KEY_get0_group(key), q, POINT_CONVERSION_UNCOMPRESSED, point.data(),
                                            point.size(), nullptr);
        numbers.public_key = {point.data(), len};
    }
    const auto status = octavo_key_create_ec(&numbers, &handle);
    OPENSSL_cleanse(secret.data(), secret.size());
    return status;
}

}  // namespace

bool EcKey::attach(EC_KEY* key) noexcept { return Place::attach(key); }
void EcKey::detach(EC_KEY* key) noexcept { Place::detach(key); }
EcKey* EcKey::of(const EC_KEY* key) noexcept { return Place::of(key); }

const bridge::Curve* EcKey::curve(const EC_KEY* key) noexcept {
    static constexpr bridge::Curve kNone{};
    const auto* known = curve_.load(std::memory_order_acquire);
    if (known == nullptr) {
        known = bridge::curve_of_group(EC_KEY_get0_group(key));
        if (known == nullptr) known = &kNone;
        curve_.store(known, std::memory_order_release);
    }
    return known == &kNone ? nullptr : known;
}

void EcKey::forget() noexcept {
    registered_.forget();
    curve_.store(nullptr, std::memory_order_release);
}

bool EcKey::handle(const EC_KEY* key, const bridge::Curve& curve, octavo_key& handle) noexcept {
    return registered_.get(handle, [&](octavo_key& made) noexcept { return register_numbers(key, curve, made); });
}

}  // namespace octavo::engine
