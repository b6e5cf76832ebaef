#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "openssl_handles.hpp"
#include "speed/curves.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using MdContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

constexpr std::size_t kDigestLen = 32;

void require(bool good) {
    if (!good) throw Failure("OpenSSL's default provider fails at an operation on a curve");
}

/// Nothing but the default provider, whatever the configuration says.
OSSL_LIB_CTX* context() {
    static const LibContext library{OSSL_LIB_CTX_new()};
    static const Provider provider{OSSL_PROVIDER_load(library.get(), "default")};
    require(provider != nullptr);
    return library.get();
}

PkeyContext keygen_context(const char* type, const char* group) {
    PkeyContext made{EVP_PKEY_CTX_new_from_name(context(), type, nullptr)};
    require(made && EVP_PKEY_keygen_init(made.get()) == 1);
    if (group == nullptr) return made;
    std::string name = group;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
                                 OSSL_PARAM_construct_end()};
    require(EVP_PKEY_CTX_set_params(made.get(), params) == 1);
    return made;
}

Pkey generate(EVP_PKEY_CTX* from) {
    EVP_PKEY* key = nullptr;
    require(EVP_PKEY_generate(from, &key) == 1);
    return Pkey{key};
}

/// One call after another of the same kind.
class CallSide final : public Side {
public:
    explicit CallSide(std::function<void()> call) : call_(std::move(call)) {}
    void run(std::size_t calls) override {
        for (std::size_t i = 0; i < calls; ++i) call_();
    }
    std::size_t ops_per_call() const noexcept override { return 1; }
    void check() const override {}

private:
    std::function<void()> call_;
};

/// A key with a context that signs or verifies: ECDSA a digest, Ed25519 a message.
struct Signer {
    Pkey key;
    PkeyContext ecdsa_sign, ecdsa_verify;
    MdContext eddsa_sign, eddsa_verify;
    std::vector<std::uint8_t> message, signature;

    bool is_eddsa() const { return eddsa_sign != nullptr; }
    void sign() {
        std::size_t len = signature.size();
        require(is_eddsa()
                    ? EVP_DigestSign(eddsa_sign.get(), signature.data(), &len, message.data(), message.size()) == 1
                    : EVP_PKEY_sign(ecdsa_sign.get(), signature.data(), &len, message.data(), message.size()) == 1);
        used = len;
    }
    void verify() {
        require(is_eddsa()
                    ? EVP_DigestVerify(eddsa_verify.get(), signature.data(), used, message.data(), message.size()) == 1
                    : EVP_PKEY_verify(ecdsa_verify.get(), signature.data(), used, message.data(), message.size()) == 1);
    }
    std::size_t used = 0;
};

std::shared_ptr<Signer> make_signer(const char* type, const char* group) {
    auto made = std::make_shared<Signer>();
    made->key = generate(keygen_context(type, group).get());
    made->message.resize(kDigestLen);
    made->signature.resize(static_cast<std::size_t>(EVP_PKEY_get_size(made->key.get())));
    require(RAND_bytes(made->message.data(), static_cast<int>(made->message.size())) == 1);
    const auto init = [&](auto function, MdContext& ctx) {
        ctx.reset(EVP_MD_CTX_new());
        require(ctx && function(ctx.get(), nullptr, nullptr, context(), nullptr, made->key.get(), nullptr) == 1);
    };
    if (group == nullptr) {
        init(EVP_DigestSignInit_ex, made->eddsa_sign);
        init(EVP_DigestVerifyInit_ex, made->eddsa_verify);
    } else {
        made->ecdsa_sign.reset(EVP_PKEY_CTX_new_from_pkey(context(), made->key.get(), nullptr));
        made->ecdsa_verify.reset(EVP_PKEY_CTX_new_from_pkey(context(), made->key.get(), nullptr));
        require(made->ecdsa_sign && EVP_PKEY_sign_init(made->ecdsa_sign.get()) == 1);
        require(made->ecdsa_verify && EVP_PKEY_verify_init(made->ecdsa_verify.get()) == 1);
    }
    made->sign();
    return made;
}

}  // namespace

SidePtr openssl_sign_side(const char* type, const char* group) {
    return std::make_unique<CallSide>([signer = make_signer(type, group)] { signer->sign(); });
}

SidePtr openssl_verify_side(const char* type, const char* group) {
    return std::make_unique<CallSide>([signer = make_signer(type, group)] { signer->verify(); });
}

SidePtr openssl_derive_side(const char* type, const char* group) {
    struct Deriver {
        Pkey key, peer;
        PkeyContext ctx;
        std::vector<std::uint8_t> secret;
    };
    const PkeyContext keys = keygen_context(type, group);
    auto made = std::make_shared<Deriver>();
    made->key = generate(keys.get());
    made->peer = generate(keys.get());
    made->ctx.reset(EVP_PKEY_CTX_new_from_pkey(context(), made->key.get(), nullptr));
    std::size_t len = 0;
    require(made->ctx && EVP_PKEY_derive_init(made->ctx.get()) == 1);
    require(EVP_PKEY_derive_set_peer(made->ctx.get(), made->peer.get()) == 1);
    require(EVP_PKEY_derive(made->ctx.get(), nullptr, &len) == 1);
    made->secret.resize(len);
    return std::make_unique<CallSide>([made] {
        std::size_t secret_len = made->secret.size();
        require(EVP_PKEY_derive(made->ctx.get(), made->secret.data(), &secret_len) == 1);
    });
}

SidePtr openssl_keygen_side(const char* type, const char* group) {
    return std::make_unique<CallSide>(
        [ctx = std::shared_ptr<EVP_PKEY_CTX>(keygen_context(type, group))] { generate(ctx.get()); });
}

}  // namespace octavo::cli
