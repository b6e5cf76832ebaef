#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <cstring>

#include "curve_keys.hpp"
#include "places.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

Data sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& message) {
    const MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    if (!trace.note("init", EVP_DigestSignInit_ex(context.get(), &settings, digest, side, nullptr, key, nullptr)))
        return {};
    unsigned char id[64];
    OSSL_PARAM ask[] = {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id, sizeof id),
                        OSSL_PARAM_construct_end()};
    if (trace.note("algorithm id", EVP_PKEY_CTX_get_params(settings, ask)))
        trace.value("algorithm id", hex(Data(id, id + ask[0].return_size)));
    trace.note("set nothing", EVP_PKEY_CTX_set_params(settings, ask + 1));
    std::size_t len = 0;
    trace.note("size", EVP_DigestSign(context.get(), nullptr, &len, message.data(), message.size()));
    trace.value("size", std::to_string(len));
    Data signature(200, 0xaa);
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{8}, len - 1}) {
        auto got = capacity;
        trace.note("short buffer",
                   EVP_DigestSign(context.get(), signature.data(), &got, message.data(), message.size()));
    }
    if (!trace.note("sign", EVP_DigestSign(context.get(), signature.data(), &len, message.data(), message.size())))
        return {};
    signature.resize(len);
    trace.value("signature", hex(signature));
    return signature;
}

bool verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const Data& message, const Data& signature) {
    const MdContext context(EVP_MD_CTX_new());
    return trace.note("init", EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, side, nullptr, key, nullptr)) &&
           trace.note("verify", EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                                 message.size()));
}

class Eddsa : public testing::TestWithParam<Group> {};

TEST_P(Eddsa, SignaturesOfMessagesOfAnyLengthAreTheSame) {
    const auto& group = GetParam();
    for (const std::size_t len : {0UL, 1UL, 32UL, 130UL, 1934UL, 1935UL, 1984UL, 1985UL, 2048UL, 2049UL, 6000UL}) {
        const auto message = data(len, 7);
        const auto agreed = compare_places(std::to_string(len), [&](Trace& trace, OSSL_LIB_CTX* side) {
            const auto key = curve_key(group, 1, side);
            const auto signature = sign(trace, side, key.get(), nullptr, message);
            verify(trace, side, public_curve_key(group, 1, side).get(), message, signature);
        });
        EXPECT_NE(agreed.find("verify = 1"), std::string::npos) << agreed;
    }
}

TEST_P(Eddsa, FreshKeysSign) {
    const auto& group = GetParam();
    compare_places("fresh", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto key = generate(trace, side, group);
        Trace unused;
        const auto signature = sign(unused, side, key.get(), nullptr, data(50, 1));
        verify(trace, side, key.get(), data(50, 1), signature);
        const auto theirs = from_pem(without_octavo(), pem(key.get(), false), false);
        EXPECT_TRUE(verify(unused, without_octavo(), theirs.get(), data(50, 1), signature));
    });
}

TEST_P(Eddsa, WrongSignaturesFailAlike) {
    const auto& group = GetParam();
    const auto message = data(40, 2);
    Trace unused;
    const auto good = sign(unused, without_octavo(), curve_key(group, 1, without_octavo()).get(), nullptr, message);
    std::vector<Data> all = {{}, Data(good.size(), 0), Data(good.size(), 0xff), Data(good.begin(), good.end() - 1)};
    for (std::size_t i = 0; i < good.size(); ++i) all.push_back(good), all.back()[i] ^= 1;
    all.push_back(good), all.back().push_back(0);
    all.push_back(good), all.back().back() |= 0xe0;
    for (const auto& signature : all) {
        const auto agreed = compare_places(hex(signature), [&](Trace& trace, OSSL_LIB_CTX* side) {
            verify(trace, side, public_curve_key(group, 1, side).get(), message, signature);
        });
        EXPECT_EQ(agreed.find("verify = 1"), std::string::npos) << hex(signature);
    }
    compare_places("other message, other key", [&](Trace& trace, OSSL_LIB_CTX* side) {
        EXPECT_FALSE(verify(trace, side, public_curve_key(group, 1, side).get(), data(40, 3), good));
        EXPECT_FALSE(verify(trace, side, public_curve_key(group, 2, side).get(), message, good));
    });
}

TEST_P(Eddsa, WrongUsesFailAlike) {
    const auto& group = GetParam();
    compare_places("wrong", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto key = curve_key(group, 1, side), half = public_curve_key(group, 1, side);
        for (const auto* digest : {"SHA512", "", "no such digest"}) sign(trace, side, key.get(), digest, data(10, 1));
        sign(trace, side, half.get(), nullptr, data(10, 1));
        sign(trace, side, curve_key(group_named("X25519"), 1, side).get(), nullptr, data(10, 1));
        const MdContext context(EVP_MD_CTX_new());
        trace.note("init", EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, side, nullptr, key.get(), nullptr));
        trace.note("update", EVP_DigestSignUpdate(context.get(), "x", 1));
        trace.note("derive", EVP_PKEY_derive_init(context_for(side, key.get()).get()));
        trace.note("sign", EVP_PKEY_sign_init(context_for(side, key.get()).get()));
    });
}

TEST_P(Eddsa, RunsOnOctavoInJobsAndWhereLanesNeedNoCompany) {
    const auto& group = GetParam();
    const auto key = curve_key(group, 1, with_octavo());
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get())), "octavo");
    for (const auto& place : kPlaces) {
        if (place.side() != with_octavo()) continue;
        const int expected = place.run != in_no_job || lanes_need_no_company(group) ? 1 : 0;
        place.run([&] {
            Trace trace;
            auto before = shim::operations();
            const auto signature = sign(trace, with_octavo(), key.get(), nullptr, data(100, 1));
            EXPECT_EQ(shim::operations() - before, expected) << place.name;
            before = shim::operations();
            EXPECT_TRUE(verify(trace, with_octavo(), key.get(), data(100, 1), signature));
            EXPECT_EQ(shim::operations() - before, expected) << place.name;
            before = shim::operations();
            generate(trace, with_octavo(), group);
            EXPECT_EQ(shim::operations() - before, expected) << place.name;
        });
    }
}

TEST_P(Eddsa, FallsBackWhenOctavoFails) {
    const auto& group = GetParam();
    const auto key = curve_key(group, 1, with_octavo());
    in_own_job([&] {
        Trace trace;
        shim::failure = OCTAVO_ERR_OPERATION_FAILED;
        const auto signature = sign(trace, with_octavo(), key.get(), nullptr, data(32, 1));
        EXPECT_TRUE(verify(trace, with_octavo(), key.get(), data(32, 1), signature));
        shim::failure = OCTAVO_OK;
    });
}

INSTANTIATE_TEST_SUITE_P(Groups, Eddsa, testing::ValuesIn(kEdwardsGroups),
                         [](const auto& group) { return group.param.name; });

}  // namespace
}  // namespace octavo::test
