#include <fmt/core.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <optional>
#include <string>

#include "installation.hpp"
#include "speed/jobs.hpp"
#include "speed/rsa_openssl.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr const char* kOctavoFirst = "?provider=octavo";

/// A library context of its own, with Octavo's provider and the default one, as a configuration file would set it up.
OSSL_LIB_CTX* octavo_context() {
    struct Holder {
        LibContext context{OSSL_LIB_CTX_new()};
        Provider octavo, standard;
        Holder() {
            const auto module = provider_module();
            OSSL_PROVIDER_set_default_search_path(context.get(), module.folder.c_str());
            octavo.reset(OSSL_PROVIDER_load(context.get(), "octavo"));
            if (octavo == nullptr)
                throw Failure(fmt::format("the provider {} cannot be loaded: {}", module.path, openssl_error()));
            standard.reset(OSSL_PROVIDER_load(context.get(), "default"));
            if (standard == nullptr) throw Failure("OpenSSL's default provider cannot be loaded: " + openssl_error());
        }
    };
    static const Holder holder;
    return holder.context.get();
}

Pkey import_key(const RsaKey& key) {
    OSSL_PARAM* numbers = nullptr;
    if (EVP_PKEY_todata(key.pkey.get(), EVP_PKEY_KEYPAIR, &numbers) != 1)
        throw Failure("OpenSSL does not give its key away: " + openssl_error());
    const std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>> owner{numbers};
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(octavo_context(), "RSA", "provider=octavo")};
    EVP_PKEY* pkey = nullptr;
    if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_KEYPAIR, numbers) != 1)
        throw Failure("the provider does not take an RSA key: " + openssl_error());
    return Pkey{pkey};
}

/// Signatures or verifications through the provider, one in each slot at a time.
class ProviderSide final : public Side {
public:
    ProviderSide(const Operation& operation, std::size_t depth, bool jobs)
        : operation_(operation),
          pkey_(import_key(rsa_key(operation.bits))),
          data_(make_signature_data(rsa_key(operation.bits), depth)) {
        for (std::size_t i = 0; i < depth; ++i) {
            evp_.emplace_back(octavo_context(), pkey_.get(), kOctavoFirst, operation.is_private);
            outputs_.emplace_back(operation.bits / 8);
        }
        require_octavo(evp_.front());
        if (jobs) loop_.emplace(depth, [this](std::size_t slot) { return operate(slot); });
    }

    void run(std::size_t calls) override {
        if (loop_) return loop_->run(calls * evp_.size());
        for (std::size_t i = 0; i < calls; ++i)
            if (!operate(0)) throw Failure("an operation through the provider fails: " + openssl_error());
    }
    std::size_t ops_per_call() const noexcept override { return evp_.size(); }
    bool has_threads() const noexcept override { return loop_.has_value(); }
    void check() const override {
        if (!operation_.is_private) return check_refusal();
        for (std::size_t i = 0; i < outputs_.size(); ++i)
            if (outputs_[i] != data_.signatures[i])
                throw Failure(
                    fmt::format("{}: signature {} differs from OpenSSL's; please report this", operation_.name, i + 1));
    }

private:
    static void require_octavo(const RsaSignature& evp) {
        if (const auto name = evp.provider_name(); name != "octavo")
            throw Failure(fmt::format("signatures are made by the provider \"{}\", not by octavo", name));
    }
    bool operate(std::size_t slot) {
        return operation_.is_private ? evp_[slot].sign(data_.digests[slot], outputs_[slot])
                                     : evp_[slot].verify(data_.digests[slot], data_.signatures[slot]);
    }
    /// Good signatures were accepted, or the run had failed; a wrong one must not be.
    void check_refusal() const {
        RsaSignature evp(octavo_context(), pkey_.get(), kOctavoFirst, false);
        auto wrong = data_.signatures[0];
        wrong.back() ^= 1;
        if (evp.verify(data_.digests[0], wrong))
            throw Failure(fmt::format("{}: a wrong signature is accepted", operation_.name));
    }

    const Operation& operation_;
    Pkey pkey_;
    SignatureData data_;
    std::vector<RsaSignature> evp_;
    std::vector<std::vector<std::uint8_t>> outputs_;
    std::optional<JobLoop> loop_;
};

}  // namespace

SidePtr rsa_provider_side(const Operation& operation, std::size_t depth, bool jobs) {
    return std::make_unique<ProviderSide>(operation, depth, jobs);
}

}  // namespace octavo::cli
