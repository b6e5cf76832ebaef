#include "frontend/bridge/curve.hpp"

#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <memory>

#include "frontend/bridge/bridge.hpp"

namespace octavo::bridge {
namespace {

constexpr unsigned bit(octavo_operation operation) { return 1U << operation; }
constexpr unsigned kAll = ~0U;

constexpr Curve kCurves[] = {
    {OCTAVO_CURVE_X25519, KeyKind::x25519, {"X25519", "x25519"}, 32, 32, 32, 0, 253, 128, 32, bit(OCTAVO_EC_GENERATE)},
    {OCTAVO_CURVE_P256, KeyKind::ec, {"prime256v1", "P-256", "secp256r1"}, 32, 65, 32, 64, 256, 128, 72, 0},
    {OCTAVO_CURVE_P384, KeyKind::ec, {"secp384r1", "P-384"}, 48, 97, 48, 96, 384, 192, 104, kAll},
    {OCTAVO_CURVE_P521, KeyKind::ec, {"secp521r1", "P-521"}, 66, 133, 66, 132, 521, 256, 139, 0},
    {OCTAVO_CURVE_P224, KeyKind::ec, {"secp224r1", "P-224"}, 28, 57, 28, 56, 224, 112, 64, 0},
    {OCTAVO_CURVE_SECP256K1, KeyKind::ec, {"secp256k1"}, 32, 65, 32, 64, 256, 128, 72, 0},
    {OCTAVO_CURVE_BRAINPOOL_P256, KeyKind::ec, {"brainpoolP256r1"}, 32, 65, 32, 64, 256, 128, 72, 0},
    {OCTAVO_CURVE_BRAINPOOL_P384, KeyKind::ec, {"brainpoolP384r1"}, 48, 97, 48, 96, 384, 192, 104, 0},
    {OCTAVO_CURVE_BRAINPOOL_P512, KeyKind::ec, {"brainpoolP512r1"}, 64, 129, 64, 128, 512, 256, 137, 0},
    {OCTAVO_CURVE_X448, KeyKind::x448, {"X448", "x448"}, 56, 56, 56, 0, 448, 224, 56, 0},
    {OCTAVO_CURVE_ED25519, KeyKind::ed25519, {"ED25519"}, 32, 32, 0, 64, 256, 128, 64, kAll},
    {OCTAVO_CURVE_ED448, KeyKind::ed448, {"ED448"}, 57, 57, 0, 114, 456, 224, 114, 0},
};
constexpr std::size_t kNumCurves = std::size(kCurves);

std::size_t index_of(const Curve& curve) { return static_cast<std::size_t>(&curve - kCurves); }

// Made when first wanted and kept for the life of the process. Whoever comes second gives its own back; nobody waits, so that a fork at any
// moment finds nothing locked.
std::atomic<std::uint64_t> generators[kNumCurves];
std::atomic<EC_GROUP*> groups[kNumCurves];

const EC_GROUP* group_of(const Curve& curve) {
    auto& place = groups[index_of(curve)];
    auto* group = place.load(std::memory_order_acquire);
    if (group != nullptr) return group;
    auto* mine = EC_GROUP_new_by_curve_name(OBJ_txt2nid(curve.names[0]));
    if (mine == nullptr || place.compare_exchange_strong(group, mine, std::memory_order_acq_rel)) return mine;
    EC_GROUP_free(mine);
    return group;
}

}  // namespace

const Curve* curve_named(KeyKind kind, std::string_view name) noexcept {
    for (const auto& curve : kCurves)
        for (const auto* known : curve.names)
            if (curve.kind == kind && known != nullptr && name == known) return &curve;
    return nullptr;
}

const Curve* only_curve(KeyKind kind) noexcept {
    for (const auto& curve : kCurves)
        if (curve.kind == kind && kind != KeyKind::ec) return &curve;
    return nullptr;
}

const Curve* curve_of_group(const EC_GROUP* group) noexcept {
    const int nid = group == nullptr ? NID_undef : EC_GROUP_get_curve_name(group);
    if (nid == NID_undef) return nullptr;
    const auto* curve = std::find_if(std::begin(kCurves), std::end(kCurves), [nid](const Curve& known) {
        return known.kind == KeyKind::ec && OBJ_sn2nid(known.names[0]) == nid;
    });
    if (curve == std::end(kCurves)) return nullptr;
    ERR_set_mark();
    const auto* true_group = group_of(*curve);
    const bool same =
        true_group != nullptr && BN_cmp(EC_GROUP_get0_order(group), EC_GROUP_get0_order(true_group)) == 0 &&
        EC_POINT_cmp(true_group, EC_GROUP_get0_generator(group), EC_GROUP_get0_generator(true_group), nullptr) == 0;
    ERR_pop_to_mark();
    return same ? curve : nullptr;
}

bool generator(const Curve& curve, octavo_key& handle) noexcept {
    auto& place = generators[index_of(curve)];
    handle = {place.load(std::memory_order_acquire)};
    if (handle.id != 0) return true;
    octavo_ec_key numbers{};
    numbers.size = sizeof numbers;
    numbers.curve = curve.id;
    if (octavo_key_create_ec(&numbers, &handle) != OCTAVO_OK) return false;
    std::uint64_t first = 0;
    if (place.compare_exchange_strong(first, handle.id, std::memory_order_acq_rel)) return true;
    octavo_key_destroy(handle);
    handle = {first};
    return true;
}

bool may_offload(const Curve& curve, octavo_operation operation) noexcept {
    return (curve.lone & bit(operation)) != 0 || in_job();
}

bool offload(const Curve& curve, octavo_operation operation) noexcept {
    octavo_key handle{};
    return may_offload(curve, operation) && generator(curve, handle) && is_worth(handle, operation);
}

bool is_point(const Curve& curve, std::span<const std::uint8_t> bytes) noexcept {
    if (bytes.size() != curve.public_len || bytes[0] != POINT_CONVERSION_UNCOMPRESSED) return false;
    ERR_set_mark();
    const auto* group = group_of(curve);
    const std::unique_ptr<EC_POINT, void (*)(EC_POINT*)> point(group == nullptr ? nullptr : EC_POINT_new(group),
                                                               EC_POINT_free);
    const bool good =
        point != nullptr && EC_POINT_oct2point(group, point.get(), bytes.data(), bytes.size(), nullptr) == 1;
    ERR_pop_to_mark();
    return good;
}

}  // namespace octavo::bridge
