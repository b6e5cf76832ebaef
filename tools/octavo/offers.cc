#include "offers.hpp"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/cpu.hpp"
#include "frontend/bridge/cpu.hpp"
#include "openssl_handles.hpp"
#include "rows.hpp"

namespace octavo::cli {
namespace {

enum class Kind { cipher, derivation };

/// Null: the front end has it where the CPU has the features; else why it never has.
struct Algorithm {
    const char* name;
    Kind kind;
    bridge::Features needs;
    const char* not_in_provider;
    const char* not_in_engine;
};
constexpr char kNoPipelines[] = "providers have no pipelines, and single records are OpenSSL's fastest";
constexpr char kNotAsked[] = "OpenSSL asks no engine for it";
constexpr char kProviderAlone[] = "only the provider has it";

constexpr Algorithm kAlgorithms[] = {
    {"AES-128-GCM", Kind::cipher, bridge::kWideAes, nullptr, nullptr},
    {"AES-192-GCM", Kind::cipher, bridge::kWideAes, nullptr, nullptr},
    {"AES-256-GCM", Kind::cipher, bridge::kWideAes, nullptr, nullptr},
    {"ChaCha20-Poly1305", Kind::cipher, bridge::kWideChaCha20Poly1305, nullptr, kProviderAlone},
    {"AES-128-CBC-HMAC-SHA1", Kind::cipher, bridge::kWideAes, kNoPipelines, nullptr},
    {"AES-256-CBC-HMAC-SHA1", Kind::cipher, bridge::kWideAes, kNoPipelines, nullptr},
    {"AES-128-CBC-HMAC-SHA256", Kind::cipher, bridge::kWideAes, kNoPipelines, nullptr},
    {"AES-256-CBC-HMAC-SHA256", Kind::cipher, bridge::kWideAes, kNoPipelines, nullptr},
    {"HKDF", Kind::derivation, {}, nullptr, nullptr},
    {"TLS1-PRF", Kind::derivation, {}, nullptr, nullptr},
    {"TLS13-KDF", Kind::derivation, {}, nullptr, kNotAsked},
};

/// The provider in a library context of its own.
class LoadedProvider {
public:
    explicit LoadedProvider(const ProviderModule& module) : context_(OSSL_LIB_CTX_new()) {
        if (context_ == nullptr) throw std::bad_alloc();
        provider_ = load_provider(module, context_.get());
        if (provider_ == nullptr) openssl_error();  // print_provider() says why
    }
    bool is_there() const { return provider_ != nullptr; }
    bool has(const Algorithm& algorithm) const {
        const char* const own = "provider=octavo";
        const bool found = algorithm.kind == Kind::cipher
                               ? Cipher(EVP_CIPHER_fetch(context_.get(), algorithm.name, own)) != nullptr
                               : Derivation(EVP_KDF_fetch(context_.get(), algorithm.name, own)) != nullptr;
        openssl_error();  // of what is not there
        return found;
    }

private:
    using Cipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
    using Derivation = std::unique_ptr<EVP_KDF, FreeWith<EVP_KDF_free>>;
    LibContext context_;
    Provider provider_;
};

cpu::Features features_of(bridge::Features names) {
    std::uint32_t bits = cpu::none;
    for (const auto* name : names) bits |= cpu::feature_of(name);
    return static_cast<cpu::Features>(bits);
}

FrontEndOffer offer_of(const Algorithm& algorithm, const char* front_end, const char* never) {
    const auto needs = features_of(algorithm.needs);
    FrontEndOffer offer{algorithm.name, front_end, names_of(needs), false, never == nullptr ? "" : never};
    if (never != nullptr) return offer;
    offer.why = cpu_obstacle(needs);
    offer.offered = offer.why.empty();
    if (offer.offered) offer.why = offer.needs.empty() ? "on any CPU" : "this CPU has what it needs";
    return offer;
}

}  // namespace

std::vector<FrontEndOffer> front_end_offers(const ProviderModule& module) {
    const LoadedProvider provider(module);
    std::vector<FrontEndOffer> list;
    for (const auto& algorithm : kAlgorithms) {
        auto offer = offer_of(algorithm, "provider", algorithm.not_in_provider);
        if (offer.offered && !provider.has(algorithm)) {
            offer.offered = false;
            offer.why = provider.is_there() ? "this OpenSSL has none to stand in for" : "the provider cannot be loaded";
        }
        list.push_back(std::move(offer));
        list.push_back(offer_of(algorithm, "engine", algorithm.not_in_engine));
    }
    return list;
}

}  // namespace octavo::cli
