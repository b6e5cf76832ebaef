#include <fmt/core.h>

#include <utility>

#include "speed/curves_openssl.hpp"
#include "speed/pair_works.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

void require_right(const CurveOperation& operation, EVP_PKEY* key) {
    const Curve& curve = operation.curve();
    Bytes pair = curve_private_bytes(key, curve);
    const Bytes public_key = curve_public_bytes(key);
    pair.insert(pair.end(), public_key.begin(), public_key.end());
    if (!curve_pair_is_right(pair, curve))
        throw Failure(fmt::format("{}: a key's halves do not belong together; please report this", operation.name()));
}

std::unique_ptr<EvpWork> make_pairs(const CurveOperation& operation, std::size_t depth, const EvpPlace& place) {
    std::vector<PkeyContext> contexts;
    for (std::size_t i = 0; i < depth; ++i) contexts.push_back(curve_keygen_context(place, operation.curve()));
    return make_keygen_work(std::move(contexts), [&operation](EVP_PKEY* key) { require_right(operation, key); });
}

std::unique_ptr<EvpWork> make_work(const CurveOperation& operation, std::size_t depth, const EvpPlace& place) {
    if (operation.action() == Action::keygen) return make_pairs(operation, depth, place);
    const PairWork work{operation.name(), depth, place, [&operation] { return make_curve_key(operation.curve()); }};
    if (operation.action() == Action::derive) return make_derive_work(work);
    return make_signature_work(work, operation.action() == Action::sign);
}

}  // namespace

SidePtr curve_provider_side(const CurveOperation& operation, std::size_t depth, bool jobs) {
    auto work = make_work(operation, depth, octavo_place());
    require_octavo(work->provider(), operation.name());
    return make_evp_side(std::move(work), depth, jobs);
}

SidePtr curve_openssl_evp_side(const CurveOperation& operation) {
    return make_evp_side(make_work(operation, 1, default_place()), 1, false);
}

}  // namespace octavo::cli
