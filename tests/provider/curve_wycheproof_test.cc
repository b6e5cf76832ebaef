#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <map>

#include "curve_keys.hpp"
#include "places.hpp"
#include "shim.hpp"
#include "wycheproof.hpp"

// Third-party vectors (Project Wycheproof) through EVP and the provider, outside of jobs and in them. A field or a group type that is not
// known fails.
namespace octavo::test {
namespace {

const std::set<std::string> kGroupFields = {"type",         "source", "publicKey", "publicKeyDer", "publicKeyPem",
                                            "publicKeyJwk", "sha",    "curve",     "encoding",     "tests"};
const std::set<std::string> kTestFields = {"tcId", "comment", "flags",   "result", "msg",
                                           "sig",  "public",  "private", "shared"};

bool verifies(const Json& group, const Json& test) {
    const auto key = from_pem(with_octavo(), group.at("publicKeyPem"), false);
    const auto message = unhex(test.at("msg")), signature = unhex(test.at("sig"));
    const auto digest = group.value("sha", std::string());
    const MdContext context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit_ex(context.get(), nullptr, digest.empty() ? nullptr : digest.c_str(), with_octavo(),
                                   nullptr, key.get(), nullptr) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

Pkey private_key(const Group& group, const Data& number) {
    const bool ec = group.group != nullptr;
    auto* build = OSSL_PARAM_BLD_new();
    auto* integer = BN_bin2bn(number.data(), static_cast<int>(number.size()), nullptr);
    if (ec) {
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group.group, 0);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, integer);
    } else {
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PRIV_KEY, number.data(), number.size());
    }
    auto* params = OSSL_PARAM_BLD_to_param(build);
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(with_octavo(), group.type, nullptr));
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(integer);
    return Pkey(key);
}

/// False where anything on the way is refused; a secret that is given must be right, whatever the verdict.
bool derives(const Json& group, const Json& test) {
    static const std::map<std::string, std::string> kNames = {{"secp256r1", "P256"},
                                                              {"secp384r1", "P384"},
                                                              {"secp521r1", "P521"},
                                                              {"curve25519", "X25519"},
                                                              {"curve448", "X448"}};
    const auto& curve = group_named(kNames.at(group.at("curve")));
    const auto bytes = unhex(test.at("public"));
    const auto key = private_key(curve, unhex(test.at("private")));
    Trace trace;
    const auto peer = parameters(trace, with_octavo(), curve);
    EXPECT_NE(key, nullptr);
    if (key == nullptr || bytes.empty() ||
        EVP_PKEY_set1_encoded_public_key(peer.get(), bytes.data(), bytes.size()) != 1)
        return false;
    const auto secret = plain_derive(with_octavo(), key.get(), peer.get());
    if (!secret.empty()) {
        EXPECT_EQ(secret, unhex(test.at("shared"))) << test.at("tcId");
    }
    return !secret.empty();
}

Check check_for(const std::string& type) {
    if (type == "EcdsaVerify" || type == "EddsaVerify") return verifies;
    if (type == "EcdhEcpointTest" || type == "XdhComp") return derives;
    return nullptr;
}

bool runs_without_jobs(const Json& file) {
    const auto& group = file.at("testGroups").at(0);
    const auto& key = group.contains("publicKey") ? group.at("publicKey") : group;
    return key.at("curve") == "secp384r1" || key.at("curve") == "edwards25519";
}

class CurveWycheproof : public testing::TestWithParam<const char*> {};

TEST_P(CurveWycheproof, Vectors) {
    if (!has_vectors()) GTEST_SKIP() << no_vectors();
    const auto file = read_vectors(GetParam());
    for (const auto& place : kPlaces) {
        if (place.side() != with_octavo()) continue;
        SCOPED_TRACE(place.name);
        const int before = shim::operations();
        int count = 0;
        for (const auto& group : file.at("testGroups"))
            place.run([&] { count += run_group(group, kGroupFields, kTestFields, check_for(group.at("type"))); });
        EXPECT_EQ(count, file.at("numberOfTests").get<int>());
        EXPECT_EQ(shim::operations() > before, place.run != in_no_job || runs_without_jobs(file));
    }
}

INSTANTIATE_TEST_SUITE_P(Files, CurveWycheproof,
                         testing::Values("ecdh_secp256r1_ecpoint_test.json", "ecdh_secp384r1_ecpoint_test.json",
                                         "ecdh_secp521r1_ecpoint_test.json", "ecdsa_secp256r1_sha256_test.json",
                                         "ecdsa_secp384r1_sha384_test.json", "ecdsa_secp521r1_sha512_test.json",
                                         "ed25519_test.json", "x25519_test.json", "x448_test.json"),
                         name_of_file);

}  // namespace
}  // namespace octavo::test
