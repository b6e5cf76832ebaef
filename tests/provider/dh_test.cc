#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <map>
#include <string>
#include <vector>

#include "curve_keys.hpp"
#include "finite_keys.hpp"
#include "places.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

struct Number {
    explicit Number(BIGNUM* value) : bn(value) {}
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    ~Number() { BN_clear_free(bn); }
    BIGNUM* bn;
};

Data native(const BIGNUM* bn) {
    Data bytes(static_cast<std::size_t>(BN_num_bytes(bn)) + 1);
    BN_bn2nativepad(bn, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

Pkey public_key(OSSL_LIB_CTX* side, const std::string& group, const BIGNUM* y) {
    auto bytes = native(y);
    auto name = group;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
                           OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PUB_KEY, bytes.data(), bytes.size()),
                           OSSL_PARAM_construct_end()};
    return load(side, "DH", params, EVP_PKEY_PUBLIC_KEY);
}

Pkey generate_in(OSSL_LIB_CTX* side, const std::string& group) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, "DH", nullptr));
    auto name = group;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
                                 OSSL_PARAM_construct_end()};
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_CTX_set_params(context.get(), params);
    EVP_PKEY_generate(context.get(), &key);
    return Pkey(key);
}

struct Keys {
    Pkey own, peer;
    Keys(OSSL_LIB_CTX* side, EVP_PKEY* one, EVP_PKEY* other)
        : own(taken_over(side, one)), peer(taken_over(side, other, EVP_PKEY_PUBLIC_KEY)) {}
};

std::string derive(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, EVP_PKEY* peer, unsigned pad) {
    const auto context = context_for(side, key);
    trace.note("init", EVP_PKEY_derive_init(context.get()));
    trace.note("pad", EVP_PKEY_CTX_set_dh_pad(context.get(), static_cast<int>(pad)));
    trace.note("set_peer", EVP_PKEY_derive_set_peer(context.get(), peer));
    std::size_t len = 0;
    trace.note("size", EVP_PKEY_derive(context.get(), nullptr, &len));
    trace.value("size", std::to_string(len));
    Data secret(1024, 0xaa);
    len = 17;
    trace.note("short", EVP_PKEY_derive(context.get(), secret.data(), &len));
    len = secret.size();
    if (!trace.note("derive", EVP_PKEY_derive(context.get(), secret.data(), &len))) return {};
    secret.resize(len);
    trace.value("secret", hex(secret));
    return hex(secret);
}

class FiniteField : public testing::TestWithParam<const char*> {};

TEST_P(FiniteField, SecretsAreTheSame) {
    const auto one = generate_in(without_octavo(), GetParam()), other = generate_in(without_octavo(), GetParam());
    for (const unsigned pad : {0U, 1U}) {
        const auto agreed = compare_places("derive", [&](Trace& trace, OSSL_LIB_CTX* side) {
            const Keys keys(side, one.get(), other.get()), back(side, other.get(), one.get());
            EXPECT_EQ(derive(trace, side, keys.own.get(), keys.peer.get(), pad),
                      derive(trace, side, back.own.get(), back.peer.get(), pad));
        });
        EXPECT_NE(agreed.find("\nderive = 1, no error\n"), std::string::npos) << agreed;
    }
}

TEST_P(FiniteField, FreshKeysAgree) {
    compare_places("fresh", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto one = generate_in(side, GetParam()), other = generate_in(side, GetParam());
        ASSERT_NE(one, nullptr);
        ASSERT_NE(other, nullptr);
        Trace unused;
        const auto secret = derive(unused, side, one.get(), other.get(), 1);
        EXPECT_FALSE(secret.empty());
        EXPECT_EQ(secret, derive(unused, side, other.get(), one.get(), 1));
        trace.value("length", std::to_string(secret.size()));
    });
}

/// 0, 1, p - 1, p, and one that is no square: no members of the subgroup.
TEST_P(FiniteField, BadPeersFailAlike) {
    const auto own = generate_in(without_octavo(), GetParam());
    BIGNUM *p = nullptr, *y = nullptr;
    ASSERT_EQ(EVP_PKEY_get_bn_param(own.get(), OSSL_PKEY_PARAM_FFC_P, &p), 1);
    ASSERT_EQ(EVP_PKEY_get_bn_param(own.get(), OSSL_PKEY_PARAM_PUB_KEY, &y), 1);
    const Number prime(p), square(y);
    std::vector<std::string> bad = {"0", "1", "2"};
    for (const int below : {2, 1, 0}) {
        const Number near(BN_dup(p));
        BN_sub_word(near.bn, static_cast<BN_ULONG>(below));
        char* digits = BN_bn2hex(near.bn);
        bad.emplace_back(digits);
        OPENSSL_free(digits);
    }
    const Number negative(BN_new());  // -1 is no square modulo a safe prime, and so -y is none
    BN_sub(negative.bn, p, y);
    char* digits = BN_bn2hex(negative.bn);
    bad.emplace_back(digits);
    OPENSSL_free(digits);
    for (const auto& number : bad) {
        BIGNUM* value = nullptr;
        BN_hex2bn(&value, number.c_str());
        const Number peer_value(value);
        compare_places(number, [&](Trace& trace, OSSL_LIB_CTX* side) {
            const auto mine = taken_over(side, own.get());
            const auto peer = public_key(side, GetParam(), peer_value.bn);
            trace.value("peer", peer == nullptr ? "refused" : "taken");
            if (peer == nullptr) return;
            derive(trace, side, mine.get(), peer.get(), 1);
            const auto context = context_for(side, peer.get());
            trace.note("check", EVP_PKEY_public_check(context.get()));
            trace.note("quick check", EVP_PKEY_public_check_quick(context.get()));
        });
    }
}

TEST_P(FiniteField, DerivationsOfOtherKindsAreTheTwins) {
    const auto one = generate_in(without_octavo(), GetParam()), other = generate_in(without_octavo(), GetParam());
    compare_places("x9.42", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const Keys keys(side, one.get(), other.get());
        const auto context = context_for(side, keys.own.get());
        trace.note("init", EVP_PKEY_derive_init(context.get()));
        trace.note("peer", EVP_PKEY_derive_set_peer(context.get(), keys.peer.get()));
        std::string kdf = OSSL_KDF_NAME_X942KDF_ASN1, digest = "SHA256", cek = "AES128-WRAP";
        std::size_t wanted = 16;
        const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, kdf.data(), 0),
                                     OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, digest.data(), 0),
                                     OSSL_PARAM_construct_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, &wanted),
                                     OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_CEK_ALG, cek.data(), 0),
                                     OSSL_PARAM_construct_end()};
        trace.note("params", EVP_PKEY_CTX_set_params(context.get(), params));
        Data out(64);
        auto len = out.size();
        const auto before = shim::operations();
        trace.note("derive", EVP_PKEY_derive(context.get(), out.data(), &len));
        EXPECT_EQ(shim::operations(), before);
        trace.value("out", hex(Data(out.begin(), out.begin() + static_cast<long>(len))));
    });
}

TEST_P(FiniteField, RunsOnOctavoInJobs) {
    const auto one = generate_in(without_octavo(), GetParam()), other = generate_in(without_octavo(), GetParam());
    const Keys keys(with_octavo(), one.get(), other.get());
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(keys.own.get())), "octavo");
    for (const auto& place : kPlaces) {
        if (place.side() != with_octavo()) continue;
        place.run([&] {
            const auto context = context_for(with_octavo(), keys.own.get());
            EVP_PKEY_derive_init(context.get());
            auto before = shim::operations();
            EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), keys.peer.get()), 1);
            EXPECT_EQ(shim::operations() - before, place.run == in_no_job ? 0 : 1) << "the peer's check";
            Data secret(1024);
            auto len = secret.size();
            before = shim::operations();
            EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &len), 1);
            EXPECT_EQ(shim::operations() - before, place.run == in_no_job ? 0 : 1) << place.name;
        });
    }
}

Pkey generate_like(OSSL_LIB_CTX* side, EVP_PKEY* pattern) {
    const auto context = context_for(side, pattern);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_generate(context.get(), &key);
    return Pkey(key);
}

void note_pair(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pattern, EVP_PKEY* key) {
    trace.value("made", key == nullptr ? "no" : "yes");
    if (key == nullptr) return;
    const auto context = context_for(side, key);
    trace.note("check", EVP_PKEY_check(context.get()));
    trace.note("pairwise", EVP_PKEY_pairwise_check(context.get()));
    trace.note("same group", EVP_PKEY_parameters_eq(key, pattern));
    BIGNUM* x = nullptr;
    trace.note("private", EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &x));
    const Number secret(x);
    // Half of it is the group's strength: ffdhe2048 and modp_2048 have 225 bits, and so on.
    static const std::map<int, int> kMost = {{1536, 200}, {2048, 225}, {3072, 275}, {4096, 325}};
    const int most = kMost.at(EVP_PKEY_get_bits(key));
    trace.value("within", std::to_string(BN_num_bits(x) <= most && BN_num_bits(x) > most - 64));
    const Pkey copy(EVP_PKEY_dup(key));
    trace.note("copy", EVP_PKEY_eq(copy.get(), key));
}

TEST_P(FiniteField, PairsAreSound) {
    compare_places("pairs", [](Trace& trace, OSSL_LIB_CTX* side) {
        const auto pattern = generate_in(side, GetParam());
        note_pair(trace, side, pattern.get(), pattern.get());
        const auto like = generate_like(side, pattern.get()), other = generate_in(side, GetParam());
        note_pair(trace, side, pattern.get(), like.get());
        trace.value("different", std::to_string(EVP_PKEY_eq(like.get(), other.get())));
    });
}

TEST_P(FiniteField, PairsAreMadeOnOctavoInJobs) {
    const auto pattern = generate_in(with_octavo(), GetParam());
    for (const auto& place : kPlaces) {
        if (place.side() != with_octavo()) continue;
        place.run([&] {
            const int expected = place.run == in_no_job ? 0 : 1;
            auto before = shim::operations();
            EXPECT_NE(generate_in(with_octavo(), GetParam()), nullptr);
            EXPECT_EQ(shim::operations() - before, expected) << place.name;
            before = shim::operations();
            EXPECT_NE(generate_like(with_octavo(), pattern.get()), nullptr);
            EXPECT_EQ(shim::operations() - before, expected) << place.name;
        });
    }
}

TEST_P(FiniteField, PairsOfOtherKindsAreTheTwins) {
    compare_places("a longer key", [](Trace& trace, OSSL_LIB_CTX* side) {
        const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, "DH", nullptr));
        std::string name = GetParam();
        int bits = 400;
        const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
                                     OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_DH_PRIV_LEN, &bits),
                                     OSSL_PARAM_construct_end()};
        EVP_PKEY* made = nullptr;
        trace.note("init", EVP_PKEY_keygen_init(context.get()));
        trace.note("params", EVP_PKEY_CTX_set_params(context.get(), params));
        const auto before = shim::operations();
        trace.note("generate", EVP_PKEY_generate(context.get(), &made));
        EXPECT_EQ(shim::operations(), before);
        const Pkey key(made);
        BIGNUM* x = nullptr;
        trace.note("private", EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &x));
        const Number secret(x);
        trace.value("long", std::to_string(BN_num_bits(x) > 336));
    });
}

TEST_P(FiniteField, PairsAreNotMadeWhereOctavoMustNotFail) {
    for (const auto status : {OCTAVO_ERR_OPERATION_FAILED, OCTAVO_ERR_NO_MEMORY, OCTAVO_ERR_DEVICE})
        in_own_job([&] {
            shim::failure = status;
            const auto key = generate_in(with_octavo(), GetParam());
            shim::failure = OCTAVO_OK;
            EXPECT_EQ(key == nullptr, status == OCTAVO_ERR_DEVICE) << "the default provider stands in elsewhere";
            ERR_clear_error();
        });
}

TEST_P(FiniteField, FallsBackWhenOctavoFails) {
    const auto one = generate_in(without_octavo(), GetParam()), other = generate_in(without_octavo(), GetParam());
    for (const auto status : {OCTAVO_ERR_OPERATION_FAILED, OCTAVO_ERR_NO_MEMORY, OCTAVO_CANCELLED})
        in_own_job([&] {
            Trace trace, expected;
            const Keys keys(with_octavo(), one.get(), other.get());
            const auto secret = derive(expected, with_octavo(), keys.own.get(), keys.peer.get(), 1);
            shim::failure = status;
            EXPECT_EQ(derive(trace, with_octavo(), keys.own.get(), keys.peer.get(), 1), secret);
            EXPECT_EQ(trace.text(), expected.text());
            shim::failure = OCTAVO_OK;
        });
}

TEST_P(FiniteField, ContextsAreDuplicated) {
    const auto one = generate_in(without_octavo(), GetParam()), other = generate_in(without_octavo(), GetParam());
    compare_places("dupctx", [&](Trace& trace, OSSL_LIB_CTX* side) {
        PkeyContext copy;
        {
            const Keys keys(side, one.get(), other.get());
            const auto context = context_for(side, keys.own.get());
            EVP_PKEY_derive_init(context.get());
            EVP_PKEY_derive_set_peer(context.get(), keys.peer.get());
            copy.reset(EVP_PKEY_CTX_dup(context.get()));
        }
        Data secret(1024);
        auto len = secret.size();
        trace.note("derive", copy == nullptr ? -1 : EVP_PKEY_derive(copy.get(), secret.data(), &len));
        trace.value("secret", hex(Data(secret.begin(), secret.begin() + static_cast<long>(len))));
    });
}

INSTANTIATE_TEST_SUITE_P(Groups, FiniteField, testing::Values("ffdhe2048", "ffdhe3072", "modp_1536", "modp_4096"),
                         [](const auto& group) { return std::string(group.param); });

}  // namespace
}  // namespace octavo::test
