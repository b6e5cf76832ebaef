#include <fmt/core.h>

#include <utility>

#include "installation.hpp"
#include "speed/curves_openssl.hpp"
#include "speed/evp_side.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

[[noreturn]] void contradiction(const CurveOperation& operation, const char* what) {
    throw Failure(fmt::format("{}: {}; please report this", operation.name(), what));
}

class SignatureWork final : public EvpWork {
public:
    SignatureWork(const CurveOperation& operation, std::size_t depth, const EvpPlace& place)
        : operation_(operation), own_(make_curve_key(operation.curve())), held_(place.take(own_.get())) {
        CurveSignature signer(default_place(), own_.get(), operation.curve(), true);
        for (std::size_t i = 0; i < depth; ++i) {
            evp_.emplace_back(place, held_.get(), operation.curve(), signs());
            messages_.push_back(random_message());
            if (!signer.sign(messages_.back(), signatures_.emplace_back()))
                throw Failure("OpenSSL's default provider does not sign: " + openssl_error());
        }
    }

    bool operate(std::size_t slot) override {
        return signs() ? evp_[slot].sign(messages_[slot], signatures_[slot])
                       : evp_[slot].verify(messages_[slot], signatures_[slot]);
    }
    void check() const override {
        CurveSignature verifier(default_place(), own_.get(), operation_.curve(), false);
        for (std::size_t i = 0; i < signatures_.size(); ++i)
            if (!verifier.verify(messages_[i], signatures_[i]))
                contradiction(operation_, "OpenSSL refuses a signature");
    }
    const OSSL_PROVIDER* provider() const noexcept override { return evp_.front().provider(); }

private:
    bool signs() const noexcept { return operation_.action() == Action::sign; }

    const CurveOperation& operation_;
    Pkey own_, held_;
    std::vector<CurveSignature> evp_;
    std::vector<Bytes> messages_, signatures_;
};

class DeriveWork final : public EvpWork {
public:
    DeriveWork(const CurveOperation& operation, std::size_t depth, const EvpPlace& place)
        : operation_(operation), own_(make_curve_key(operation.curve())), held_(place.take(own_.get())) {
        for (std::size_t i = 0; i < depth; ++i) {
            const Pkey peer = make_curve_key(operation.curve());
            peers_.push_back(place.take(peer.get()));
            evp_.push_back(curve_derive_context(place, held_.get(), peers_.back().get()));
            expected_.push_back(curve_secret(own_.get(), peer.get()));
            secrets_.emplace_back(expected_.back().size());
        }
    }

    bool operate(std::size_t slot) override {
        auto& secret = secrets_[slot];
        std::size_t len = secret.size();
        return EVP_PKEY_derive(evp_[slot].get(), secret.data(), &len) == 1 && len == secret.size();
    }
    void check() const override {
        if (secrets_ != expected_) contradiction(operation_, "a secret differs from OpenSSL's");
    }
    const OSSL_PROVIDER* provider() const noexcept override { return EVP_PKEY_CTX_get0_provider(evp_.front().get()); }

private:
    const CurveOperation& operation_;
    Pkey own_, held_;
    std::vector<Pkey> peers_;
    std::vector<PkeyContext> evp_;
    std::vector<Bytes> secrets_, expected_;
};

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
            if (!curve_pair_is_right(pair, curve)) contradiction(operation_, "a key's halves do not belong together");
        }
    }
    const OSSL_PROVIDER* provider() const noexcept override { return EVP_PKEY_CTX_get0_provider(evp_.front().get()); }

private:
    const CurveOperation& operation_;
    std::vector<PkeyContext> evp_;
    std::vector<Pkey> keys_;
};

std::unique_ptr<EvpWork> make_work(const CurveOperation& operation, std::size_t depth, const EvpPlace& place) {
    if (operation.action() == Action::derive) return std::make_unique<DeriveWork>(operation, depth, place);
    if (operation.action() == Action::keygen) return std::make_unique<KeygenWork>(operation, depth, place);
    return std::make_unique<SignatureWork>(operation, depth, place);
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
