#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/params.h>

#include <map>
#include <set>

#include "curve_keys.hpp"
#include "digest_signatures.hpp"
#include "finite_keys.hpp"
#include "places.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

Pkey generate_from(EVP_PKEY* parameters) {
    const auto context = context_for(without_octavo(), parameters);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_generate(context.get(), &key);
    return Pkey(key);
}

/// A group of Diffie-Hellman's with a short subgroup: a search for primes takes seconds.
Pkey parameters_of(const char* group) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(without_octavo(), "DHX", nullptr));
    const OSSL_PARAM name[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0),
        OSSL_PARAM_construct_end()};
    EVP_PKEY* model = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_CTX_set_params(context.get(), name);
    EVP_PKEY_generate(context.get(), &model);
    const Pkey owner(model);
    std::vector<Data> numbers;
    std::vector<OSSL_PARAM> params;
    numbers.reserve(3);
    for (const char* number : {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G}) {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(model, number, &value);
        auto& bytes = numbers.emplace_back(static_cast<std::size_t>(BN_num_bytes(value)));
        BN_bn2nativepad(value, bytes.data(), static_cast<int>(bytes.size()));
        BN_free(value);
        params.push_back(OSSL_PARAM_construct_BN(number, bytes.data(), bytes.size()));
    }
    params.push_back(OSSL_PARAM_construct_end());
    return load(without_octavo(), "DSA", params.data(), EVP_PKEY_KEY_PARAMETERS);
}

Pkey dsa_key(const std::string& group, OSSL_LIB_CTX* side, int selection = EVP_PKEY_KEYPAIR) {
    static std::map<std::string, Pkey> made;
    auto& key = made[group];
    if (key == nullptr) key = generate_from(parameters_of(group.c_str()).get());
    return taken_over(side, key.get(), selection);
}

bool is_good(const std::string& group, const Data& tbs, const Data& signature) {
    Trace checked;
    const auto key = dsa_key(group, without_octavo(), EVP_PKEY_PUBLIC_KEY);
    verify(checked, without_octavo(), key.get(), nullptr, tbs, signature);
    return checked.text().find("verify = 1") != std::string::npos;
}

Data r_of(const Data& signature) {
    const auto* der = signature.data();
    auto* parsed = d2i_DSA_SIG(nullptr, &der, static_cast<long>(signature.size()));
    if (parsed == nullptr) return {};
    const BIGNUM* r = nullptr;
    DSA_SIG_get0(parsed, &r, nullptr);
    Data bytes(static_cast<std::size_t>(BN_num_bytes(r)));
    BN_bn2bin(r, bytes.data());
    DSA_SIG_free(parsed);
    return bytes;
}

class Dsa : public testing::TestWithParam<const char*> {};

TEST_P(Dsa, SignaturesOfEveryLengthOfDigest) {
    for (const std::size_t len : {0UL, 1UL, 20UL, 28UL, 32UL, 33UL, 48UL, 64UL, 100UL}) {
        const auto tbs = data(len, 5);
        compare_places(std::to_string(len), [&](Trace& trace, OSSL_LIB_CTX* side) {
            const auto key = dsa_key(GetParam(), side);
            const auto signature = sign(trace, side, key.get(), nullptr, tbs);
            if (signature.empty()) return;
            verify(trace, side, key.get(), nullptr, tbs, signature);
            EXPECT_TRUE(is_good(GetParam(), tbs, signature)) << hex(signature);
        });
    }
}

TEST_P(Dsa, DigestsOfTheRightAndOfOtherLengths) {
    for (const auto* digest : {"SHA1", "SHA256", "SHA512", "MD5"})
        for (const std::size_t len : {20UL, 32UL, 64UL})
            compare_places(std::string(digest) + " " + std::to_string(len), [&](Trace& trace, OSSL_LIB_CTX* side) {
                const auto key = dsa_key(GetParam(), side);
                const auto tbs = data(len, 5);
                const auto signature = sign(trace, side, key.get(), digest, tbs);
                if (!signature.empty()) verify(trace, side, key.get(), digest, tbs, signature);
            });
}

TEST_P(Dsa, KeysWithoutAPrivateNumberFailAlike) {
    compare_places("public", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto key = dsa_key(GetParam(), side, EVP_PKEY_PUBLIC_KEY);
        EXPECT_TRUE(sign(trace, side, key.get(), "SHA256", data(32, 5)).empty());
    });
}

TEST_P(Dsa, WrongSignaturesFailAlike) {
    Trace unused;
    const auto tbs = data(32, 3);
    const auto good = sign(unused, without_octavo(), dsa_key(GetParam(), without_octavo()).get(), nullptr, tbs);
    ASSERT_FALSE(good.empty());
    for (const auto& wrong : wrong_signatures(good)) {
        const auto agreed = compare_places(hex(wrong), [&](Trace& trace, OSSL_LIB_CTX* side) {
            const auto key = dsa_key(GetParam(), side, EVP_PKEY_PUBLIC_KEY);
            verify(trace, side, key.get(), nullptr, tbs, wrong);
            digest_verify(trace, side, key.get(), "SHA256", wrong, "octavopus");
        });
        EXPECT_EQ(agreed.find("verify = 1"), std::string::npos) << hex(wrong);
    }
}

TEST_P(Dsa, Messages) {
    for (const char* digest :
         {"SHA1", "SHA256", "SHA512", "SHA3-256", "no such digest", static_cast<const char*>(nullptr)})
        for (const bool copied : {false, true})
            compare_places(digest == nullptr ? "-" : digest, [&](Trace& trace, OSSL_LIB_CTX* side) {
                const auto key = dsa_key(GetParam(), side);
                const auto signature = digest_sign(trace, side, key.get(), digest, copied);
                if (signature.empty()) return;
                for (const auto* text : {"octavopus", "octopus"})
                    digest_verify(trace, side, key.get(), digest, signature, text);
            });
}

TEST_P(Dsa, NoNonceIsUsedTwice) {
    const auto key = dsa_key(GetParam(), with_octavo());
    std::set<Data> seen;
    in_own_job([&] {
        Trace trace;
        for (unsigned i = 0; i < 40; ++i) {
            const auto tbs = data(32, i / 2);
            const auto signature = sign(trace, with_octavo(), key.get(), nullptr, tbs);
            EXPECT_TRUE(is_good(GetParam(), tbs, signature)) << hex(signature);
            EXPECT_TRUE(seen.insert(r_of(signature)).second) << "r is the same: " << hex(signature);
        }
    });
}

TEST_P(Dsa, RunsOnOctavoInJobs) {
    const auto key = dsa_key(GetParam(), with_octavo());
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get())), "octavo");
    for (const auto& place : kPlaces) {
        if (place.side() != with_octavo()) continue;
        place.run([&] {
            Trace trace;
            const auto before = shim::operations();
            const auto signature = sign(trace, with_octavo(), key.get(), "SHA256", data(32, 1));
            EXPECT_EQ(shim::operations() - before, place.run == in_no_job ? 0 : 1) << place.name;
            EXPECT_TRUE(is_good(GetParam(), data(32, 1), signature));
        });
    }
}

TEST_P(Dsa, FallsBackWhenOctavoFails) {
    const auto key = dsa_key(GetParam(), with_octavo());
    for (const auto status : {OCTAVO_ERR_OPERATION_FAILED, OCTAVO_ERR_NO_MEMORY, OCTAVO_CANCELLED})
        in_own_job([&] {
            Trace trace;
            shim::failure = status;
            const auto signature = sign(trace, with_octavo(), key.get(), nullptr, data(32, 1));
            shim::failure = OCTAVO_OK;
            EXPECT_TRUE(is_good(GetParam(), data(32, 1), signature)) << trace.text();
        });
}

TEST_P(Dsa, FreshKeysAreValid) {
    compare_places("fresh", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto pattern = dsa_key(GetParam(), side, EVP_PKEY_KEY_PARAMETERS);
        const auto context = context_for(side, pattern.get());
        EVP_PKEY* made = nullptr;
        trace.note("init", EVP_PKEY_keygen_init(context.get()));
        trace.note("generate", EVP_PKEY_generate(context.get(), &made));
        const Pkey key(made);
        ASSERT_NE(key, nullptr);
        trace.note("pairwise", EVP_PKEY_pairwise_check(context_for(side, made).get()));
        trace.note("public", EVP_PKEY_public_check(context_for(side, made).get()));
        trace.value("bits", std::to_string(EVP_PKEY_get_bits(made)));
        const auto signature = sign(trace, side, made, nullptr, data(32, 1));
        verify(trace, side, made, nullptr, data(32, 1), signature);
    });
}

INSTANTIATE_TEST_SUITE_P(Groups, Dsa, testing::Values("dh_1024_160", "dh_2048_224", "dh_2048_256"),
                         [](const auto& group) { return std::string(group.param); });

}  // namespace
}  // namespace octavo::test
