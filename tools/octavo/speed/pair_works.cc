#include "speed/pair_works.hpp"

#include <fmt/core.h>

#include <utility>

#include "installation.hpp"
#include "speed/curves_openssl.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

[[noreturn]] void contradiction(const char* name, const char* what) {
    throw Failure(fmt::format("{}: {}; please report this", name, what));
}

class SignatureWork final : public EvpWork {
public:
    SignatureWork(const PairWork& work, bool signs)
        : name_(work.name), signs_(signs), own_(work.make_pair()), held_(work.place.take(own_.get())) {
        EvpSignature signer(default_place(), own_.get(), true);
        for (std::size_t i = 0; i < work.depth; ++i) {
            evp_.emplace_back(work.place, held_.get(), signs_);
            messages_.push_back(random_message());
            if (!signer.sign(messages_.back(), signatures_.emplace_back()))
                throw Failure("OpenSSL's default provider does not sign: " + openssl_error());
        }
    }

    bool operate(std::size_t slot) override {
        return signs_ ? evp_[slot].sign(messages_[slot], signatures_[slot])
                      : evp_[slot].verify(messages_[slot], signatures_[slot]);
    }
    void check() const override {
        EvpSignature verifier(default_place(), own_.get(), false);
        for (std::size_t i = 0; i < signatures_.size(); ++i)
            if (!verifier.verify(messages_[i], signatures_[i])) contradiction(name_, "OpenSSL refuses a signature");
    }
    const OSSL_PROVIDER* provider() const noexcept override { return evp_.front().provider(); }

private:
    const char* name_;
    bool signs_;
    Pkey own_, held_;
    std::vector<EvpSignature> evp_;
    std::vector<Bytes> messages_, signatures_;
};

class DeriveWork final : public EvpWork {
public:
    explicit DeriveWork(const PairWork& work)
        : name_(work.name), own_(work.make_pair()), held_(work.place.take(own_.get())) {
        for (std::size_t i = 0; i < work.depth; ++i) {
            const Pkey peer = work.make_pair();
            peers_.push_back(work.place.take(peer.get()));
            evp_.push_back(derive_context(work.place, held_.get(), peers_.back().get()));
            expected_.push_back(derived_secret(own_.get(), peer.get()));
            secrets_.emplace_back(expected_.back().size());
        }
    }

    bool operate(std::size_t slot) override {
        auto& secret = secrets_[slot];
        std::size_t len = secret.size();
        return EVP_PKEY_derive(evp_[slot].get(), secret.data(), &len) == 1 && len == secret.size();
    }
    void check() const override {
        if (secrets_ != expected_) contradiction(name_, "a secret differs from OpenSSL's");
    }
    const OSSL_PROVIDER* provider() const noexcept override { return EVP_PKEY_CTX_get0_provider(evp_.front().get()); }

private:
    const char* name_;
    Pkey own_, held_;
    std::vector<Pkey> peers_;
    std::vector<PkeyContext> evp_;
    std::vector<Bytes> secrets_, expected_;
};

class KeygenWork final : public EvpWork {
public:
    KeygenWork(std::vector<PkeyContext> contexts, std::function<void(EVP_PKEY*)> require_right)
        : evp_(std::move(contexts)), keys_(evp_.size()), require_right_(std::move(require_right)) {}

    bool operate(std::size_t slot) override {
        EVP_PKEY* key = nullptr;
        const bool good = EVP_PKEY_generate(evp_[slot].get(), &key) == 1;
        keys_[slot].reset(key);
        return good;
    }
    void check() const override {
        for (const auto& key : keys_) require_right_(key.get());
    }
    const OSSL_PROVIDER* provider() const noexcept override { return EVP_PKEY_CTX_get0_provider(evp_.front().get()); }

private:
    std::vector<PkeyContext> evp_;
    std::vector<Pkey> keys_;
    std::function<void(EVP_PKEY*)> require_right_;
};

}  // namespace

std::unique_ptr<EvpWork> make_keygen_work(std::vector<PkeyContext> contexts,
                                          std::function<void(EVP_PKEY*)> require_right) {
    return std::make_unique<KeygenWork>(std::move(contexts), std::move(require_right));
}

std::unique_ptr<EvpWork> make_signature_work(const PairWork& work, bool signs) {
    return std::make_unique<SignatureWork>(work, signs);
}

std::unique_ptr<EvpWork> make_derive_work(const PairWork& work) { return std::make_unique<DeriveWork>(work); }

}  // namespace octavo::cli
