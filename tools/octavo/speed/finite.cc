#include "speed/finite.hpp"

#include <fmt/core.h>

#include "kernel/modexp/modexp.hpp"
#include "speed/api_side.hpp"
#include "speed/pair_works.hpp"
#include "speed/power_cost.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr double kLanes = 8;

octavo::Key register_modulus(const FiniteData& data) {
    return require(octavo::Key::create_modulus({data.modulus, data.exponents[0].size()}), "octavo_key_create_modulus");
}

std::unique_ptr<EvpWork> make_pairs(const FiniteOperation& operation, std::size_t depth, const EvpPlace& place) {
    std::vector<PkeyContext> contexts;
    for (std::size_t i = 0; i < depth; ++i) contexts.push_back(finite_keygen_context(place, operation.group()));
    return make_keygen_work(std::move(contexts), [&operation, place](EVP_PKEY* key) {
        const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(place.context, key, place.properties)};
        if (context == nullptr || EVP_PKEY_pairwise_check(context.get()) != 1)
            throw Failure(
                fmt::format("{}: a key's halves do not belong together; please report this", operation.name()));
    });
}

std::unique_ptr<EvpWork> make_work(const FiniteOperation& operation, std::size_t depth, const EvpPlace& place) {
    const FiniteGroup& group = operation.group();
    if (group.action == FiniteAction::keygen) return make_pairs(operation, depth, place);
    const PairWork work{operation.name(), depth, place, [&group] { return make_finite_key(group); }};
    return group.action == FiniteAction::sign ? make_signature_work(work, true) : make_derive_work(work);
}

}  // namespace

SidePtr FiniteOperation::kernel(std::size_t depth, RowChoice choice) const {
    return finite_kernel_side(*this, depth, choice);
}

SidePtr FiniteOperation::api(std::size_t depth) const {
    auto data = make_finite_data(group_, depth);
    ByteLists inputs;
    for (std::size_t i = 0; i < depth; ++i) {
        auto& input = inputs.emplace_back(data.bases[i]);
        input.insert(input.end(), data.exponents[i].begin(), data.exponents[i].end());
    }
    auto key = register_modulus(data);
    const auto check = [this, data = std::move(data)](const ByteLists& powers) {
        for (std::size_t i = 0; i < powers.size(); ++i) require_power(*this, data, i, powers[i]);
    };
    return make_api_side({name(), std::move(key), OCTAVO_MOD_EXP, std::move(inputs), check});
}

SidePtr FiniteOperation::provider(std::size_t depth, bool jobs) const {
    auto work = make_work(*this, depth, octavo_place());
    require_octavo(work->provider(), name());
    return make_evp_side(std::move(work), depth, jobs);
}

SidePtr FiniteOperation::openssl(Counterpart of) const {
    if (of != Counterpart::provider) return finite_openssl_side(*this);
    return make_evp_side(make_work(*this, 1, default_place()), 1, false);
}

std::size_t FiniteOperation::max_batch() const {
    const auto* lane = kernel::modexp::lane_row();
    return lane == nullptr ? kernel::modexp::ref_row().max_batch : lane->max_batch;
}

/// One product into Montgomery's form, and a reduction out of it.
double FiniteOperation::multiply_adds(std::size_t) const {
    const MontgomeryCost cost(group_.bits);
    return (power_multiply_adds(cost, 8 * static_cast<unsigned>(group_.exponent_len)) + cost.product +
            2 * cost.reduction) /
           kLanes;
}

Operations finite_operations() {
    static const FiniteOperation list[] = {
        {"dh2048-derive", "DH z = y^x mod p, ffdhe2048", {"ffdhe2048", 2048, FiniteAction::derive, 32}},
        {"dh3072-derive", "DH z = y^x mod p, ffdhe3072", {"ffdhe3072", 3072, FiniteAction::derive, 40}},
        {"dh2048-keygen", "DH y = g^x mod p, ffdhe2048", {"ffdhe2048", 2048, FiniteAction::keygen, 32}},
        {"dh3072-keygen", "DH y = g^x mod p, ffdhe3072", {"ffdhe3072", 3072, FiniteAction::keygen, 40}},
        {"dsa2048-sign", "DSA, 256 bits; at kernel and api g^k mod p", {"dh_2048_256", 2048, FiniteAction::sign, 32}},
    };
    return operations_of(list);
}

void require_power(const FiniteOperation& operation, const FiniteData& data, std::size_t index,
                   const std::vector<std::uint8_t>& power) {
    if (power == data.powers[index]) return;
    throw Failure(fmt::format("{}: result {} of {} differs from OpenSSL's; please report this", operation.name(),
                              index + 1, data.powers.size()));
}

}  // namespace octavo::cli
