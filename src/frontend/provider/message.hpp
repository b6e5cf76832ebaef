#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>

#include "frontend/provider/provider.hpp"

namespace octavo::provider {

/// The message of a digest-sign or -verify, hashed here between init and final, by the digest that the context's twin has been set to.
class Message {
public:
    /// `name` null: the digest that the twin already has. False: the twin or OpenSSL refused, and raised why.
    bool start(const DefaultSide& standard, const SignatureFunctions& functions, void* twin, const char* name,
               const OSSL_PARAM params[]) noexcept;
    /// There is no message, or its digest may change again.
    void stop() noexcept { digesting_ = false; }
    bool copy_from(const Message& other) noexcept;
    bool update(const unsigned char* data, std::size_t len) noexcept;
    bool started() const noexcept { return context_ != nullptr; }
    /// Ends it. `digest` has EVP_MAX_MD_SIZE bytes; null asks for the length of a signature, and the message may still grow.
    bool finish(std::uint8_t* digest, unsigned& len) noexcept;

    /// While a message is being hashed, its digest may be named again, not changed.
    bool forbids(const OSSL_PARAM params[]) const noexcept;

    EVP_MD_CTX* context() const noexcept { return context_.get(); }

private:
    std::unique_ptr<EVP_MD_CTX, MdContextFree> context_;
    bool digesting_ = false;
};

/// The functions of a signature's dispatch table that hash a message or begin an operation. `Context` is a TwinContext with a `message`
/// and with init(), which initialises it by a function of the twin's; `kSign` and `kVerify` take a digest.
template <class Context, auto kSign, auto kVerify>
struct MessageFunctions {
    static int sign_init(void* context, void* key, const OSSL_PARAM params[]) {
        return self(context).init(self(context).functions.sign_init, key, params);
    }
    static int verify_init(void* context, void* key, const OSSL_PARAM params[]) {
        return self(context).init(self(context).functions.verify_init, key, params);
    }
    static int digest_sign_init(void* context, const char* name, void* key, const OSSL_PARAM params[]) {
        return sign_init(context, key, params) == 1 && start(self(context), name, params);
    }
    static int digest_verify_init(void* context, const char* name, void* key, const OSSL_PARAM params[]) {
        return verify_init(context, key, params) == 1 && start(self(context), name, params);
    }
    static int digest_sign_final(void* context, unsigned char* signature, size_t* signature_len, size_t capacity) {
        std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
        unsigned len = 0;
        if (!of(context).finish(signature == nullptr ? nullptr : digest.data(), len)) return 0;
        return kSign(context, signature, signature_len, capacity, digest.data(), len);
    }
    static int digest_verify_final(void* context, const unsigned char* signature, size_t signature_len) {
        std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
        unsigned len = 0;
        if (!of(context).finish(digest.data(), len)) return 0;
        return kVerify(context, signature, signature_len, digest.data(), len);
    }
    static int update(void* context, const unsigned char* data, size_t len) { return of(context).update(data, len); }
    static int get_params(void* context, OSSL_PARAM params[]) {
        return of(context).started() && EVP_MD_CTX_get_params(of(context).context(), params) == 1;
    }
    static int set_params(void* context, const OSSL_PARAM params[]) {
        return of(context).started() && EVP_MD_CTX_set_params(of(context).context(), params) == 1;
    }
    static const OSSL_PARAM* gettable_params(void* context) {
        const auto* md = md_of(context);
        return md == nullptr ? nullptr : EVP_MD_gettable_ctx_params(md);
    }
    static const OSSL_PARAM* settable_params(void* context) {
        const auto* md = md_of(context);
        return md == nullptr ? nullptr : EVP_MD_settable_ctx_params(md);
    }

private:
    static Context& self(void* context) { return *static_cast<Context*>(context); }
    static Message& of(void* context) { return self(context).message; }
    static bool start(Context& context, const char* name, const OSSL_PARAM params[]) {
        return context.message.start(context.provider.standard, context.functions, context.twin, name, params);
    }
    static const EVP_MD* md_of(void* context) {
        return of(context).started() ? EVP_MD_CTX_get0_md(of(context).context()) : nullptr;
    }
};

/// The entries of a dispatch table for signatures of digests and of messages.
///   Own        ContextFunctions
///   OfMessage  MessageFunctions
#define OCTAVO_DIGEST_SIGNATURE_FUNCTIONS(Own, OfMessage, its_sign, its_verify, its_set_params)                        \
    entry(OSSL_FUNC_SIGNATURE_NEWCTX, Own::template newctx<const char*>),                                              \
        entry(OSSL_FUNC_SIGNATURE_FREECTX, Own::freectx), entry(OSSL_FUNC_SIGNATURE_DUPCTX, Own::dupctx),              \
        entry(OSSL_FUNC_SIGNATURE_SIGN_INIT, OfMessage::sign_init), entry(OSSL_FUNC_SIGNATURE_SIGN, its_sign),         \
        entry(OSSL_FUNC_SIGNATURE_VERIFY_INIT, OfMessage::verify_init), entry(OSSL_FUNC_SIGNATURE_VERIFY, its_verify), \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, OfMessage::digest_sign_init),                                      \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, OfMessage::update),                                              \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, OfMessage::digest_sign_final),                                    \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, OfMessage::digest_verify_init),                                  \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, OfMessage::update),                                            \
        entry(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, OfMessage::digest_verify_final),                                \
        entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, Own::get_params),                                                    \
        entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, Own::gettable_params),                                          \
        entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, its_set_params),                                                     \
        entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, Own::settable_params),                                          \
        entry(OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS, OfMessage::get_params),                                           \
        entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS, OfMessage::gettable_params),                                 \
        entry(OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS, OfMessage::set_params),                                           \
        entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS, OfMessage::settable_params)

}  // namespace octavo::provider
