#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "faults.hpp"
#include "octavo/octavo.h"
#include "provider/keys.hpp"
#include "provider/shim.hpp"
#include "support.hpp"

/// An endpoint that is away: what the engine's methods do with and without the software fallback.
namespace octavo::test {
namespace {

using Rsa = std::unique_ptr<RSA, decltype(&RSA_free)>;
using Ec = std::unique_ptr<EC_KEY, decltype(&EC_KEY_free)>;

constexpr char kAway[] = "the endpoint failed, restarts or is down, and the software fallback is switched off";

[[maybe_unused]] const bool allowed = (api_test::allow_faults(), true);

int heartbeat() {
    int status = 99;
    EXPECT_EQ(ENGINE_ctrl_cmd(engine(), "HEARTBEAT_POLL", 0, &status, nullptr, 0), 1) << first_reason();
    return status;
}

Rsa rsa_key() {
    const auto pkey = key(Shape::rsa2048, without_octavo());
    const RSA* from = EVP_PKEY_get0_RSA(pkey.get());
    Rsa to(RSA_new_method(engine()), RSA_free);
    RSA_set0_key(to.get(), BN_dup(RSA_get0_n(from)), BN_dup(RSA_get0_e(from)), BN_dup(RSA_get0_d(from)));
    RSA_set0_factors(to.get(), BN_dup(RSA_get0_p(from)), BN_dup(RSA_get0_q(from)));
    RSA_set0_crt_params(to.get(), BN_dup(RSA_get0_dmp1(from)), BN_dup(RSA_get0_dmq1(from)),
                        BN_dup(RSA_get0_iqmp(from)));
    return to;
}

Ec ec_key(int nid) {
    Ec made(EC_KEY_new_method(engine()), EC_KEY_free);
    const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group(EC_GROUP_new_by_curve_name(nid), EC_GROUP_free);
    EC_KEY_set_group(made.get(), group.get());
    EXPECT_EQ(EC_KEY_generate_key(made.get()), 1);
    return made;
}

Pkey x25519_key() {
    const PkeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, engine()));
    EVP_PKEY* made = nullptr;
    EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_keygen(context.get(), &made), 1);
    return Pkey(made);
}

class Health : public testing::Test {
protected:
    void SetUp() override {
        everything(1, "none");  // which makes the instance
        ASSERT_EQ(heartbeat(), 0);
        ASSERT_TRUE(api_test::inject({.kind = api_test::FaultKind::kill}));
        EXPECT_EQ(heartbeat(), -1);
    }
    void TearDown() override {
        EXPECT_EQ(octavo_software_fallback_set(1), OCTAVO_OK);
        EXPECT_TRUE(api_test::clear_faults());
    }

    /// Every method that uses an endpoint: each answers what `good` says, 1 or 0, or fails with this reason.
    void everything(int good, const std::string& reason) {
        const auto see = [&](const char* what, bool is_good) {
            EXPECT_EQ(is_good, good == 1) << what;
            EXPECT_EQ(first_reason(), reason) << what;
        };
        ERR_clear_error();
        use_rsa(see);
        use_ec(see);
        use_x25519(see);
    }

private:
    template <class See>
    void use_rsa(See&& see) {
        const auto message = data(32, 1);
        Data out(256), block(256);
        auto* const rsa = rsa_.get();
        see("sign", RSA_private_encrypt(32, message.data(), out.data(), rsa, RSA_PKCS1_PADDING) == 256);
        see("recover", RSA_public_decrypt(256, signature_.data(), out.data(), rsa, RSA_PKCS1_PADDING) == 32);
        see("encrypt", RSA_public_encrypt(256, block.data(), out.data(), rsa, RSA_NO_PADDING) == 256);
        see("decrypt", RSA_private_decrypt(256, block.data(), out.data(), rsa, RSA_NO_PADDING) == 256);
    }
    template <class See>
    void use_ec(See&& see) {
        const auto digest = data(48, 1);
        Data out(104), secret(48);
        unsigned len = 0;
        auto* const key = ec_.get();
        see("ECDSA sign", ECDSA_sign(0, digest.data(), 48, out.data(), &len, key) == 1);
        const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_do_sign(digest.data(), 48, key),
                                                                         ECDSA_SIG_free);
        see("ECDSA sign, a pair", pair != nullptr);
        see("ECDSA verify", ECDSA_verify(0, digest.data(), 48, der_.data(), static_cast<int>(der_.size()), key) == 1);
        see("ECDH", ECDH_compute_key(secret.data(), secret.size(), EC_KEY_get0_public_key(key), key, nullptr) == 48);
        const Ec copy(EC_KEY_dup(key), EC_KEY_free);
        see("key pair", EC_KEY_generate_key(copy.get()) == 1);
    }
    template <class See>
    void use_x25519(See&& see) {
        int answer = -2;
        in_async_job([&] {
            const PkeyContext context(EVP_PKEY_CTX_new(x25519_.get(), engine()));
            Data secret(32);
            auto len = secret.size();
            EVP_PKEY_derive_init(context.get());
            EVP_PKEY_derive_set_peer(context.get(), x25519_.get());
            answer = EVP_PKEY_derive(context.get(), secret.data(), &len);
        });
        see("X25519", answer == 1);
    }

    Rsa rsa_ = rsa_key();
    Ec ec_ = ec_key(NID_secp384r1);
    Pkey x25519_ = x25519_key();
    Data signature_ = [this] {
        const auto message = data(32, 1);
        Data made(256);
        EXPECT_EQ(RSA_private_encrypt(32, message.data(), made.data(), rsa_.get(), RSA_PKCS1_PADDING), 256);
        return made;
    }();
    Data der_ = [this] {
        const auto digest = data(48, 1);
        Data made(104);
        unsigned len = 0;
        EXPECT_EQ(ECDSA_sign(0, digest.data(), 48, made.data(), &len, ec_.get()), 1);
        made.resize(len);
        return made;
    }();
};

TEST_F(Health, WhatTheEndpointCannotDoIsDoneElsewhere) { everything(1, "none"); }

TEST_F(Health, WithoutTheFallbackItFails) {
    ASSERT_EQ(octavo_software_fallback_set(0), OCTAVO_OK);
    everything(0, kAway);
}

TEST_F(Health, TheFrontEndIsNotToldToDoItItselfThen) {
    ASSERT_EQ(octavo_software_fallback_set(0), OCTAVO_OK);
    shim::takes_all = false;
    everything(0, kAway);
    shim::takes_all = true;
}

}  // namespace
}  // namespace octavo::test
