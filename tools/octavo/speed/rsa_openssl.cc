#include "speed/rsa_openssl.hpp"

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "installation.hpp"
#include "speed/contexts.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

class RawSide final : public Side {
public:
    explicit RawSide(const RsaOperation& operation)
        : operation_(operation),
          raw_(rsa_key(operation.bits()), operation.is_private()),
          data_(make_rsa_data(operation, 1)),
          output_(data_.expected[0].size()) {}

    void run(std::size_t calls) override {
        for (std::size_t i = 0; i < calls; ++i) raw_.run(data_.inputs[0], output_);
    }
    std::size_t ops_per_call() const noexcept override { return 1; }
    void check() const override { require_expected(operation_, data_, 0, output_); }

private:
    const RsaOperation& operation_;
    RsaRaw raw_;
    RsaData data_;
    std::vector<std::uint8_t> output_;
};

}  // namespace

RsaRaw::RsaRaw(const RsaKey& key, bool is_private)
    : is_private_(is_private), context_(EVP_PKEY_CTX_new_from_pkey(default_context(), key.pkey.get(), nullptr)) {
    auto* init = is_private ? EVP_PKEY_decrypt_init : EVP_PKEY_encrypt_init;
    if (context_ == nullptr || init(context_.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context_.get(), RSA_NO_PADDING) != 1)
        throw Failure("OpenSSL does not start an RSA operation: " + openssl_error());
}

void RsaRaw::run(std::span<const std::uint8_t> input, std::span<std::uint8_t> output) {
    auto* operate = is_private_ ? EVP_PKEY_decrypt : EVP_PKEY_encrypt;
    std::size_t len = output.size();
    if (operate(context_.get(), output.data(), &len, input.data(), input.size()) != 1 || len != output.size())
        throw Failure("OpenSSL's RSA operation fails: " + openssl_error());
}

RsaSignature::RsaSignature(const EvpPlace& place, EVP_PKEY* pkey, bool is_private)
    : context_(EVP_PKEY_CTX_new_from_pkey(place.context, pkey, place.properties)) {
    auto* init = is_private ? EVP_PKEY_sign_init : EVP_PKEY_verify_init;
    if (context_ == nullptr || init(context_.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context_.get(), RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context_.get(), EVP_sha256()) != 1)
        throw Failure("no RSA signature can be started: " + openssl_error());
}

bool RsaSignature::sign(const Digest& digest, std::vector<std::uint8_t>& signature) noexcept {
    std::size_t len = signature.size();
    return EVP_PKEY_sign(context_.get(), signature.data(), &len, digest.data(), digest.size()) == 1 &&
           len == signature.size();
}

bool RsaSignature::verify(const Digest& digest, const std::vector<std::uint8_t>& signature) noexcept {
    return EVP_PKEY_verify(context_.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

const OSSL_PROVIDER* RsaSignature::provider() const noexcept { return EVP_PKEY_CTX_get0_provider(context_.get()); }

SignatureData make_signature_data(const RsaKey& key, std::size_t count) {
    RsaSignature signer(default_place(), key.pkey.get(), true);
    SignatureData data;
    for (std::size_t i = 0; i < count; ++i) {
        auto& digest = data.digests.emplace_back();
        auto& signature = data.signatures.emplace_back(key.len());
        if (RAND_bytes(digest.data(), static_cast<int>(digest.size())) != 1 || !signer.sign(digest, signature))
            throw Failure("OpenSSL's default provider does not sign: " + openssl_error());
    }
    return data;
}

SidePtr rsa_openssl_raw_side(const RsaOperation& operation) { return std::make_unique<RawSide>(operation); }

}  // namespace octavo::cli
