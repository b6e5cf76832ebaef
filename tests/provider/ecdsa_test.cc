#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <cstring>

#include "curve_keys.hpp"
#include "places.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

constexpr std::size_t kLong = 200;

Data sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& tbs) {
    const auto context = context_for(side, key);
    if (!trace.note("sign_init", EVP_PKEY_sign_init(context.get()))) return {};
    if (digest != nullptr &&
        !trace.note("digest", EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(digest))))
        return {};
    std::size_t len = 0;
    trace.note("size", EVP_PKEY_sign(context.get(), nullptr, &len, tbs.data(), tbs.size()));
    trace.value("size", std::to_string(len));
    Data signature(kLong, 0xaa);
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{8}, len - 1}) {
        auto got = capacity;
        trace.note("short buffer", EVP_PKEY_sign(context.get(), signature.data(), &got, tbs.data(), tbs.size()));
    }
    auto got = len;
    if (!trace.note("sign", EVP_PKEY_sign(context.get(), signature.data(), &got, tbs.data(), tbs.size()))) return {};
    for (auto i = len; i < signature.size(); ++i) EXPECT_EQ(signature[i], 0xaa) << "written beyond the buffer";
    signature.resize(got);
    return signature;
}

void verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& tbs,
            const Data& signature) {
    const auto context = context_for(side, key);
    trace.note("verify_init", EVP_PKEY_verify_init(context.get()));
    if (digest != nullptr)
        trace.note("digest", EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(digest)));
    trace.note("verify", EVP_PKEY_verify(context.get(), signature.data(), signature.size(), tbs.data(), tbs.size()));
}

void digest_verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& signature,
                   const char* text) {
    const MdContext context(EVP_MD_CTX_new());
    if (!trace.note("init", EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, side, nullptr, key, nullptr)))
        return;
    trace.note("update", EVP_DigestVerifyUpdate(context.get(), text, std::strlen(text)));
    trace.note(std::string("final ") + text, EVP_DigestVerifyFinal(context.get(), signature.data(), signature.size()));
}

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

std::vector<Data> wrong_signatures(const Data& good) {
    std::vector<Data> all = {{},
                             {0x30},
                             {0x30, 0},
                             {0x30, 6, 2, 1, 1, 2, 1, 1},
                             {0x30, 6, 2, 1, 0, 2, 1, 0},
                             Data(good.size(), 0),
                             Data(good.size(), 0xff),
                             data(64, 9)};
    const auto change = [&](auto&& edit) {
        all.push_back(good);
        edit(all.back());
    };
    for (std::size_t i = 0; i < good.size(); i += good.size() / 12 + 1) change([&](Data& s) { s[i] ^= 1; });
    for (std::size_t i = 0; i < 8; ++i) change([&](Data& s) { s[i] ^= 0x80; });
    for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, good.size() / 2})
        change([&](Data& s) { s.resize(s.size() - cut); });
    change([&](Data& s) { s.push_back(0); });
    change([&](Data& s) { s.insert(s.begin(), 0); });
    // BER where DER is wanted: a length, and an integer, that are longer than they need be.
    const std::size_t header = good[1] == 0x81 ? 3 : 2;
    change([&](Data& s) {
        s[header - 1] = good[header - 1];
        s.insert(s.begin() + 1, header == 2 ? 0x81 : 0x82);
        if (header == 3) s[2] = 0;
    });
    change([&](Data& s) {
        s.insert(s.begin() + static_cast<long>(header) + 2, 0);
        s[header + 1]++;
        s[header - 1]++;
    });
    return all;
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

Data digest_sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, bool copied) {
    const MdContext context(EVP_MD_CTX_new()), copy(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    if (!trace.note("init", EVP_DigestSignInit_ex(context.get(), &settings, digest, side, nullptr, key, nullptr)))
        return {};
    const auto set = [&](const char* value) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(value), 0),
            OSSL_PARAM_construct_end()};
        trace.note(std::string("set ") + value, EVP_PKEY_CTX_set_params(settings, params));
    };
    unsigned char id[64];
    char name[64] = "";
    OSSL_PARAM ask[] = {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id, sizeof id),
                        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name, sizeof name),
                        OSSL_PARAM_construct_end()};
    trace.note("update", EVP_DigestSignUpdate(context.get(), "octavo", 6));
    set("SHA512");
    set(digest == nullptr ? "SHA256" : digest);
    if (trace.note("algorithm id", EVP_PKEY_CTX_get_params(settings, ask)))
        trace.value("algorithm id", hex(Data(id, id + ask[0].return_size)) + name);
    std::size_t len = 0;
    trace.note("size", EVP_DigestSignFinal(context.get(), nullptr, &len));
    auto* from = context.get();
    if (copied && trace.note("copy", EVP_MD_CTX_copy_ex(copy.get(), context.get()))) from = copy.get();
    trace.note("update", EVP_DigestSignUpdate(from, "pus", 3));
    Data signature(len);
    if (!trace.note("final", EVP_DigestSignFinal(from, signature.data(), &len))) return {};
    signature.resize(len);
    return signature;
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
        Data signature(kLong);
        auto len = signature.size();
        const auto tbs = data(32, 1);
        trace.note("sign", EVP_PKEY_sign(copy.get(), signature.data(), &len, tbs.data(), tbs.size()));
        signature.resize(len);
        verify(trace, side, curve_key(group, 1, side).get(), nullptr, tbs, signature);
    });
}

}  // namespace
}  // namespace octavo::test
