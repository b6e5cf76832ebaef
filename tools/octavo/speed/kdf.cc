#include "speed/kdf.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "installation.hpp"
#include "speed/contexts.hpp"
#include "speed/evp_side.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Kdf = std::unique_ptr<EVP_KDF, FreeWith<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>>;

constexpr const char* kPrf = "TLS1-PRF";

Bytes pattern(std::size_t len, std::uint8_t first) {
    Bytes bytes(len);
    for (auto& byte : bytes) byte = first++;
    return bytes;
}

/// What a derivation is given.
class Inputs {
public:
    explicit Inputs(const Derivation& derivation)
        : digest_(derivation.digest),
          mode_(derivation.mode),
          key_(pattern(derivation.key_len, 1)),
          salt_(pattern(derivation.salt_len, 2)),
          info_(pattern(derivation.info_len, 3)) {
        const bool prf = std::string_view(derivation.kdf) == kPrf;
        auto* next = params_.data();
        *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_.data(), 0);
        if (!prf) *next++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode_);
        const auto add = [&](const char* name, Bytes& bytes) {
            if (!bytes.empty()) *next++ = OSSL_PARAM_construct_octet_string(name, bytes.data(), bytes.size());
        };
        add(prf ? OSSL_KDF_PARAM_SECRET : OSSL_KDF_PARAM_KEY, key_);
        add(OSSL_KDF_PARAM_SALT, salt_);
        add(prf ? OSSL_KDF_PARAM_SEED : OSSL_KDF_PARAM_INFO, info_);
        *next = OSSL_PARAM_construct_end();
    }
    Inputs(const Inputs&) = delete;
    Inputs& operator=(const Inputs&) = delete;
    const OSSL_PARAM* params() const noexcept { return params_.data(); }

private:
    std::string digest_;
    int mode_;
    Bytes key_, salt_, info_;
    std::array<OSSL_PARAM, 6> params_;
};

Kdf fetch(const Derivation& derivation, const EvpPlace& place) {
    return Kdf{EVP_KDF_fetch(place.context, derivation.kdf, place.properties)};
}

bool derive(EVP_KDF* kdf, const Inputs& inputs, Bytes& out) {
    const KdfContext context{EVP_KDF_CTX_new(kdf)};
    return context != nullptr && EVP_KDF_derive(context.get(), out.data(), out.size(), inputs.params()) == 1;
}

/// Each derivation with a context of its own, as programs have it.
class KdfWork final : public EvpWork {
public:
    KdfWork(const KdfOperation& operation, const Derivation& derivation, const EvpPlace& place)
        : name_(operation.name()),
          derivation_(derivation),
          place_(place),
          kdf_(fetch(derivation, place)),
          inputs_(derivation),
          out_(derivation.out_len) {
        if (kdf_ == nullptr) throw Failure("OpenSSL has no " + std::string(derivation.kdf) + ": " + openssl_error());
    }

    bool operate(std::size_t) override {
        return derivation_.by_pkey ? derive_by_pkey() : derive(kdf_.get(), inputs_, out_);
    }
    void check() const override {
        Bytes expected(out_.size());
        if (!derive(fetch(derivation_, default_place()).get(), inputs_, expected) || out_ != expected)
            throw Failure(std::string(name_) + ": a result differs from OpenSSL's; please report this");
    }
    const OSSL_PROVIDER* provider() const noexcept override { return EVP_KDF_get0_provider(kdf_.get()); }

private:
    bool derive_by_pkey() {
        const PkeyContext context{EVP_PKEY_CTX_new_from_name(place_.context, derivation_.kdf, place_.properties)};
        auto len = out_.size();
        return context != nullptr && EVP_PKEY_derive_init_ex(context.get(), inputs_.params()) == 1 &&
               EVP_PKEY_derive(context.get(), out_.data(), &len) == 1;
    }

    const char* name_;
    const Derivation& derivation_;
    EvpPlace place_;
    Kdf kdf_;
    Inputs inputs_;
    Bytes out_;
};

}  // namespace

SidePtr KdfOperation::provider(std::size_t depth, bool) const {
    auto work = std::make_unique<KdfWork>(*this, derivation_, octavo_place());
    require_octavo(work->provider(), name());
    return make_evp_side(std::move(work), depth, false);
}

SidePtr KdfOperation::openssl(Counterpart) const {
    return make_evp_side(std::make_unique<KdfWork>(*this, derivation_, default_place()), 1, false);
}

Operations kdf_operations() {
    constexpr int kExtract = EVP_KDF_HKDF_MODE_EXTRACT_ONLY, kExpand = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    // TLS: a label of 13 bytes and two random numbers of 32; keys and vectors of two directions.
    static const KdfOperation list[] = {
        {"hkdf-sha256", "HKDF, both steps, 32 bytes", {"HKDF", "SHA256", 32, 32, 32, 32}},
        {"hkdf-sha384", "HKDF, both steps, 48 bytes", {"HKDF", "SHA384", 48, 48, 32, 48}},
        {"hkdf-extract", "HKDF's first step, SHA-256", {"HKDF", "SHA256", 32, 32, 0, 32, kExtract}},
        {"hkdf-expand", "HKDF's second step, SHA-256, 32 bytes", {"HKDF", "SHA256", 32, 0, 32, 32, kExpand}},
        {"hkdf-long", "HKDF, SHA-256, 8160 bytes", {"HKDF", "SHA256", 32, 32, 32, 8160}},
        {"hkdf-pkey", "HKDF by EVP_PKEY_derive(), SHA-256", {"HKDF", "SHA256", 32, 32, 32, 32, 0, true}},
        {"tls1-prf-sha256", "TLS 1.2's master secret, SHA-256", {kPrf, "SHA256", 48, 0, 77, 48}},
        {"tls1-prf-sha384", "TLS 1.2's master secret, SHA-384", {kPrf, "SHA384", 48, 0, 77, 48}},
        {"tls1-prf-md5sha1", "TLS 1.1's master secret", {kPrf, "MD5-SHA1", 48, 0, 77, 48}},
        {"tls1-prf-long", "TLS 1.2's PRF, SHA-256, 8160 bytes", {kPrf, "SHA256", 48, 0, 77, 8160}},
        {"tls1-prf-pkey", "TLS 1.2's PRF by EVP_PKEY_derive()", {kPrf, "SHA256", 48, 0, 77, 48, 0, true}},
    };
    return operations_of(list);
}

}  // namespace octavo::cli
