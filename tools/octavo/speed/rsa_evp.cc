#include <fmt/core.h>

#include "speed/contexts.hpp"
#include "speed/evp_side.hpp"
#include "speed/rsa_openssl.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

/// PKCS#1 v1.5 signatures or verifications, one in each slot at a time.
class RsaEvp final : public EvpWork {
public:
    RsaEvp(const RsaOperation& operation, std::size_t depth, const EvpPlace& place)
        : operation_(operation),
          place_(place),
          pkey_(place.take(rsa_key(operation.bits()).pkey.get())),
          data_(make_signature_data(rsa_key(operation.bits()), depth)) {
        for (std::size_t i = 0; i < depth; ++i) {
            evp_.emplace_back(place, pkey_.get(), operation.is_private());
            outputs_.emplace_back(operation.bits() / 8);
        }
    }

    bool operate(std::size_t slot) override {
        return operation_.is_private() ? evp_[slot].sign(data_.digests[slot], outputs_[slot])
                                       : evp_[slot].verify(data_.digests[slot], data_.signatures[slot]);
    }
    void check() const override {
        if (!operation_.is_private()) return check_refusal();
        for (std::size_t i = 0; i < outputs_.size(); ++i)
            if (outputs_[i] != data_.signatures[i])
                throw Failure(fmt::format("{}: signature {} differs from OpenSSL's; please report this",
                                          operation_.name(), i + 1));
    }
    const OSSL_PROVIDER* provider() const noexcept override { return evp_.front().provider(); }

private:
    /// Good signatures were accepted, or the run had failed; a wrong one must not be.
    void check_refusal() const {
        RsaSignature evp(place_, pkey_.get(), false);
        auto wrong = data_.signatures[0];
        wrong.back() ^= 1;
        if (evp.verify(data_.digests[0], wrong))
            throw Failure(fmt::format("{}: a wrong signature is accepted", operation_.name()));
    }

    const RsaOperation& operation_;
    EvpPlace place_;
    Pkey pkey_;
    SignatureData data_;
    std::vector<RsaSignature> evp_;
    std::vector<std::vector<std::uint8_t>> outputs_;
};

}  // namespace

SidePtr rsa_provider_side(const RsaOperation& operation, std::size_t depth, bool jobs) {
    auto work = std::make_unique<RsaEvp>(operation, depth, octavo_place());
    require_octavo(work->provider(), operation.name());
    return make_evp_side(std::move(work), depth, jobs);
}

SidePtr rsa_openssl_evp_side(const RsaOperation& operation) {
    return make_evp_side(std::make_unique<RsaEvp>(operation, 1, default_place()), 1, false);
}

}  // namespace octavo::cli
