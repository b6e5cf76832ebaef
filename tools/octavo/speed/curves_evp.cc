#include <fmt/core.h>

#include <utility>

#include "speed/curves_openssl.hpp"
#include "speed/pair_works.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

class KeygenWork final : public EvpWork {
public:
    KeygenWork(const CurveOperation& operation, std::size_t depth, const EvpPlace& place)
        : operation_(operation), keys_(depth) {
        for (std::size_t i = 0; i < depth; ++i) evp_.push_back(curve_keygen_context(place, operation.curve()));
    }

    bool operate(std::size_t slot) override {
        EVP_PKEY* key = nullptr;
        const bool good = EVP_PKEY_generate(evp_[slot].get(), &key) == 1;
        keys_[slot].reset(key);
        return good;
    }
    void check() const override {
        const Curve& curve = operation_.curve();
        for (const auto& key : keys_) {
            Bytes pair = curve_private_bytes(key.get(), curve);
            const Bytes public_key = curve_public_bytes(key.get());
            pair.insert(pair.end(), public_key.begin(), public_key.end());
            if (!curve_pair_is_right(pair, curve))
                throw Failure(
                    fmt::format("{}: a key's halves do not belong together; please report this", operation_.name()));
        }
    }
    const OSSL_PROVIDER* provider() const noexcept override { return EVP_PKEY_CTX_get0_provider(evp_.front().get()); }

private:
    const CurveOperation& operation_;
    std::vector<PkeyContext> evp_;
    std::vector<Pkey> keys_;
};

std::unique_ptr<EvpWork> make_work(const CurveOperation& operation, std::size_t depth, const EvpPlace& place) {
    if (operation.action() == Action::keygen) return std::make_unique<KeygenWork>(operation, depth, place);
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
