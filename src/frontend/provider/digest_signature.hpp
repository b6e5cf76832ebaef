#pragma once

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstdint>
#include <cstring>
#include <span>

#include "frontend/provider/message.hpp"
#include "frontend/provider/twin_context.hpp"

/// Signatures of digests without further parameters: what ECDSA and DSA have in common.
namespace octavo::provider {

inline bool only_a_digest(const OSSL_PARAM params[]) {
    for (const auto* param = params; param != nullptr && param->key != nullptr; ++param)
        if (std::strcmp(param->key, OSSL_SIGNATURE_PARAM_DIGEST) != 0 &&
            std::strcmp(param->key, OSSL_SIGNATURE_PARAM_PROPERTIES) != 0)
            return false;
    return true;
}

template <class KeyType>
struct DigestSignature : TwinContext<KeyType, SignatureFunctions> {
    using Base = TwinContext<KeyType, SignatureFunctions>;
    using Base::Base;
    Message message{};
    bool plain = true;  // nothing was set but a digest

    bool copy_from(const DigestSignature& other) noexcept {
        plain = other.plain;
        return Base::copy_from(other) && message.copy_from(other.message);
    }
    template <class Init>
    int init(Init* twin_init, void* new_key, const OSSL_PARAM params[]) noexcept {
        if (!this->start(new_key, [&](void* twin_key) { return twin_init(this->twin, twin_key, params); })) return 0;
        plain = plain && only_a_digest(params);
        message.stop();
        return 1;
    }
    int set_params(const OSSL_PARAM params[]) noexcept {
        if (params == nullptr) return 1;
        if (message.forbids(params)) return this->provider.errors.raise(Reason::digest_not_allowed, __func__);
        plain = plain && only_a_digest(params);
        return this->functions.set_ctx_params(this->twin, params);
    }
    /// Whether nothing but the operation itself was asked for, and the digest is as long as what the twin was told.
    bool is_plain(std::span<const std::uint8_t> digest) const noexcept {
        std::size_t wanted = 0;
        OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, &wanted),
                               OSSL_PARAM_construct_end()};
        return plain && this->key != nullptr && !digest.empty() &&
               this->functions.get_ctx_params(this->twin, params) == 1 && (wanted == 0 || wanted == digest.size());
    }
};

/// The dispatch table; `sign` and `verify` take a digest.
template <class Context, KeyKind kind, auto sign, auto verify>
struct DigestSignatureTable {
    using Own = ContextFunctions<Context, signatures_of<kind>>;
    using OfMessage = MessageFunctions<Context, sign, verify>;

    static int set_ctx_params(void* context, const OSSL_PARAM params[]) {
        return static_cast<Context*>(context)->set_params(params);
    }

    static inline const OSSL_DISPATCH functions[] = {
        OCTAVO_DIGEST_SIGNATURE_FUNCTIONS(Own, OfMessage, sign, verify, set_ctx_params),
        {0, nullptr},
    };
};

}  // namespace octavo::provider
