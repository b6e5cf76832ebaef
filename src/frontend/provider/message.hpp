#pragma once

#include <openssl/evp.h>

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

/// The functions of a signature's dispatch table that concern the message alone. `Context` has a `message`.
template <class Context>
struct MessageFunctions {
    static Message& of(void* context) { return static_cast<Context*>(context)->message; }
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
    static const EVP_MD* md_of(void* context) {
        return of(context).started() ? EVP_MD_CTX_get0_md(of(context).context()) : nullptr;
    }
};

}  // namespace octavo::provider
