#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <cstring>

#include "curve_keys.hpp"
#include "digest_signatures.hpp"
#include "places.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

class Ecdsa : public testing::TestWithParam<Group> {};

TEST_P(Ecdsa, SignaturesOfEveryLengthOfDigest) {
    const auto& group = GetParam();
    for (const std::size_t len : {0UL, 1UL, 20UL, 28UL, 32UL, 48UL, 63UL, 64UL, 65UL, 100UL}) {
        const auto tbs = data(len, 5);
        compare_places(std::to_string(len), [&](Trace& trace, OSSL_LIB_CTX* side) {
            for (const auto& key : {curve_key(group, 1, side), generate(trace, side, group)}) {
                const auto signature = sign(trace, side, key.get(), nullptr, tbs);
                if (signature.empty()) continue;
                verify(trace, side, key.get(), nullptr, tbs, signature);
                const auto theirs = from_pem(without_octavo(), pem(key.get(), false), false);
                Trace other;
                verify(other, without_octavo(), theirs.get(), nullptr, tbs, signature);
                EXPECT_NE(other.text().find("verify = 1"), std::string::npos) << hex(signature);
            }
        });
    }
}

TEST_P(Ecdsa, DigestsOfTheRightAndOfOtherLengths) {
    const auto& group = GetParam();
    for (const auto* digest : {"SHA1", "SHA256", "SHA384", "SHA512", "SHA3-256", "MD5"})
        for (const std::size_t len : {20UL, 32UL, 48UL, 64UL})
            compare_places(std::string(digest) + " " + std::to_string(len), [&](Trace& trace, OSSL_LIB_CTX* side) {
                const auto key = curve_key(group, 1, side), half = public_curve_key(group, 1, side);
                const auto tbs = data(len, 5);
                const auto signature = sign(trace, side, key.get(), digest, tbs);
                if (!signature.empty()) verify(trace, side, half.get(), digest, tbs, signature);
            });
}

TEST_P(Ecdsa, WithAPublicKeyAloneFailsAlike) {
    const auto& group = GetParam();
    compare_places("public", [&](Trace& trace, OSSL_LIB_CTX* side) {
        sign(trace, side, public_curve_key(group, 1, side).get(), nullptr, data(32, 1));
        sign(trace, side, parameters(trace, side, group).get(), nullptr, data(32, 1));
        verify(trace, side, parameters(trace, side, group).get(), nullptr, data(32, 1), data(70, 1));
    });
}

TEST_P(Ecdsa, WrongSignaturesFailAlike) {
    const auto& group = GetParam();
    const auto tbs = data(32, 3);
    Trace unused;
    const auto good = sign(unused, without_octavo(), curve_key(group, 1, without_octavo()).get(), nullptr, tbs);
    ASSERT_FALSE(good.empty());
    const auto accepted = [&](const Data& signature, const Data& of, unsigned seed) {
        return compare_places(hex(signature), [&](Trace& trace, OSSL_LIB_CTX* side) {
                   verify(trace, side, public_curve_key(group, seed, side).get(), nullptr, of, signature);
                   digest_verify(trace, side, public_curve_key(group, seed, side).get(), "SHA256", signature,
                                 "octavopus");
               }).find("verify = 1") != std::string::npos;
    };
    EXPECT_TRUE(accepted(good, tbs, 1));
    EXPECT_FALSE(accepted(good, tbs, 2));
    EXPECT_FALSE(accepted(good, data(32, 4), 1));
    EXPECT_FALSE(accepted(good, data(20, 3), 1));
    for (const auto& wrong : wrong_signatures(good)) EXPECT_FALSE(accepted(wrong, tbs, 1));
}

TEST_P(Ecdsa, Messages) {
    const auto& group = GetParam();
    for (const char* digest : {"SHA1", "SHA256", "SHA384", "SHA512", "SHA3-512", "BLAKE2b512", "MDC2", "SHAKE128",
                               "no such digest", "", static_cast<const char*>(nullptr)})
        for (const bool copied : {false, true})
            compare_places(digest == nullptr ? "-" : digest, [&](Trace& trace, OSSL_LIB_CTX* side) {
                const auto key = curve_key(group, 1, side);
                const auto signature = digest_sign(trace, side, key.get(), digest, copied);
                if (signature.empty()) return;
                for (const auto* text : {"octavopus", "octopus"})
                    digest_verify(trace, side, key.get(), digest, signature, text);
            });
}

/// Long enough to meet numbers with leading zeros, and r and s of all lengths.
TEST_P(Ecdsa, ManySignaturesOfAJobAreRight) {
    const auto& group = GetParam();
    const auto key = curve_key(group, 1, with_octavo());
    const auto theirs = public_curve_key(group, 1, without_octavo());
    in_own_job([&] {
        Trace trace;
        for (unsigned i = 0; i < 40; ++i) {
            const auto tbs = data(32, i);
            const auto signature = sign(trace, with_octavo(), key.get(), nullptr, tbs);
            Trace checked;
            verify(checked, without_octavo(), theirs.get(), nullptr, tbs, signature);
            EXPECT_NE(checked.text().find("verify = 1"), std::string::npos) << hex(signature);
        }
    });
}

TEST_P(Ecdsa, RunsOnOctavoInJobsAndWhereLanesNeedNoCompany) {
    const auto& group = GetParam();
    const auto key = curve_key(group, 1, with_octavo());
    for (const auto& place : kPlaces) {
        if (place.side() != with_octavo()) continue;
        const bool here = place.run != in_no_job || lanes_need_no_company(group);
        const int expected = group.octavo && here ? 1 : 0;
        place.run([&] {
            Trace trace;
            auto before = shim::operations();
            const auto signature = sign(trace, with_octavo(), key.get(), "SHA256", data(32, 1));
            EXPECT_EQ(shim::operations() - before, expected) << place.name;
            before = shim::operations();
            verify(trace, with_octavo(), key.get(), "SHA256", data(32, 1), signature);
            EXPECT_EQ(shim::operations() - before, expected) << place.name;
            EXPECT_NE(trace.text().find("verify = 1"), std::string::npos);
        });
    }
}

TEST_P(Ecdsa, FallsBackWhenOctavoFails) {
    const auto& group = GetParam();
    const auto key = curve_key(group, 1, with_octavo());
    for (const auto status : {OCTAVO_ERR_OPERATION_FAILED, OCTAVO_ERR_NO_MEMORY, OCTAVO_CANCELLED})
        in_own_job([&] {
            Trace trace;
            shim::failure = status;
            const auto signature = sign(trace, with_octavo(), key.get(), nullptr, data(32, 1));
            verify(trace, with_octavo(), key.get(), nullptr, data(32, 1), signature);
            shim::failure = OCTAVO_OK;
            EXPECT_NE(trace.text().find("verify = 1"), std::string::npos) << trace.text();
        });
}

TEST_P(Ecdsa, FailsWhereTheSoftwareFallbackIsOff) {
    const auto& group = GetParam();
    if (!group.octavo) return;  // nothing is asked of an endpoint
    const auto key = curve_key(group, 1, with_octavo());
    in_own_job([&] {
        Trace trace, signing, verifying;
        const auto signature = sign(trace, with_octavo(), key.get(), nullptr, data(32, 1));
        shim::failure = OCTAVO_ERR_DEVICE;
        sign(signing, with_octavo(), key.get(), nullptr, data(32, 1));
        verify(verifying, with_octavo(), key.get(), nullptr, data(32, 1), signature);
        shim::failure = OCTAVO_OK;
        EXPECT_NE(signing.text().find("there is no software fallback"), std::string::npos) << signing.text();
        EXPECT_NE(verifying.text().find("there is no software fallback"), std::string::npos) << verifying.text();
    });
}

INSTANTIATE_TEST_SUITE_P(Groups, Ecdsa, testing::ValuesIn(ecdsa_groups()),
                         [](const auto& group) { return group.param.name; });

TEST(EcdsaContext, OutlivesItsKeyAndIsDuplicated) {
    const auto& group = group_named("P256");
    compare_places("dup", [&](Trace& trace, OSSL_LIB_CTX* side) {
        auto key = curve_key(group, 1, side);
        auto context = context_for(side, key.get());
        EVP_PKEY_sign_init(context.get());
        const PkeyContext copy(EVP_PKEY_CTX_dup(context.get()));
        context.reset();
        key.reset();
        Data signature(200);
        auto len = signature.size();
        const auto tbs = data(32, 1);
        trace.note("sign", EVP_PKEY_sign(copy.get(), signature.data(), &len, tbs.data(), tbs.size()));
        signature.resize(len);
        verify(trace, side, curve_key(group, 1, side).get(), nullptr, tbs, signature);
    });
}

}  // namespace
}  // namespace octavo::test
