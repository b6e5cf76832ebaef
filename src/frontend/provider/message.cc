#include "frontend/provider/message.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

namespace octavo::provider {
namespace {

bool set_digest(const SignatureFunctions& functions, void* twin, const char* name) {
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(name), 0),
                           OSSL_PARAM_construct_end()};
    return functions.set_ctx_params(twin, params) == 1;
}

}  // namespace

bool Message::start(const DefaultSide& standard, const SignatureFunctions& functions, void* twin, const char* name,
                    const OSSL_PARAM params[]) noexcept {
    if (name != nullptr && !set_digest(functions, twin, name)) return false;
    std::array<char, 64> digest{};
    OSSL_PARAM ask[] = {OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, digest.data(), digest.size()),
                        OSSL_PARAM_construct_end()};
    bool good = functions.get_ctx_params(twin, ask) == 1;
    if (good && context_ == nullptr) context_.reset(EVP_MD_CTX_new());
    good = good && context_ != nullptr;
    if (const auto* known = good ? standard.digests().find(digest.data()) : nullptr; known != nullptr) {
        good = EVP_DigestInit_ex2(context_.get(), known->md, params) == 1;
    } else if (good) {
        auto* md = digest[0] == '\0' ? nullptr : EVP_MD_fetch(standard.libctx(), digest.data(), nullptr);
        good = EVP_DigestInit_ex2(context_.get(), md, params) == 1;
        EVP_MD_free(md);
    }
    if (!good) context_.reset();
    return digesting_ = good;
}

bool Message::copy_from(const Message& other) noexcept {
    digesting_ = other.digesting_;
    if (other.context_ == nullptr) return true;
    context_.reset(EVP_MD_CTX_new());
    return context_ != nullptr && EVP_MD_CTX_copy_ex(context_.get(), other.context_.get()) == 1;
}

bool Message::update(const unsigned char* data, std::size_t len) noexcept {
    return context_ != nullptr && EVP_DigestUpdate(context_.get(), data, len) == 1;
}

bool Message::finish(std::uint8_t* digest, unsigned& len) noexcept {
    if (context_ == nullptr) return false;
    digesting_ = false;
    return digest == nullptr || EVP_DigestFinal_ex(context_.get(), digest, &len) == 1;
}

bool Message::forbids(const OSSL_PARAM params[]) const noexcept {
    const auto* digest = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
    const char* name = nullptr;
    return digesting_ && digest != nullptr && OSSL_PARAM_get_utf8_string_ptr(digest, &name) == 1 && name != nullptr &&
           EVP_MD_is_a(EVP_MD_CTX_get0_md(context_.get()), name) != 1;
}

}  // namespace octavo::provider
