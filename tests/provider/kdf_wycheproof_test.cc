#include <openssl/core_names.h>

#include "kdf_session.hpp"
#include "wycheproof.hpp"

// Third-party vectors of HKDF (Project Wycheproof) through the provider. A field or a group type that is not known fails.
namespace octavo::test {
namespace {

const Fields kGroupFields = {"type", "source", "keySize", "tests"};
const Fields kTestFields = {"tcId", "comment", "flags", "result", "ikm", "salt", "info", "size", "okm"};

Check check_with(const char* digest) {
    return [digest](const Json&, const Json& test) {
        const Kdf kdf(EVP_KDF_fetch(with_octavo(), "HKDF", nullptr));
        EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf.get())), "octavo");
        const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
        Params params;
        params.text(OSSL_KDF_PARAM_DIGEST, digest)
            .octets(OSSL_KDF_PARAM_KEY, unhex(test.at("ikm")))
            .octets(OSSL_KDF_PARAM_SALT, unhex(test.at("salt")))
            .octets(OSSL_KDF_PARAM_INFO, unhex(test.at("info")));
        Data out(test.at("size").get<std::size_t>());
        return EVP_KDF_derive(context.get(), out.data(), out.size(), params.get()) == 1 && out == unhex(test.at("okm"));
    };
}

struct File {
    const char *name, *digest;
};

class HkdfWycheproof : public testing::TestWithParam<File> {};

TEST_P(HkdfWycheproof, Vectors) {
    if (!has_vectors()) GTEST_SKIP() << no_vectors();
    const auto file = read_vectors(GetParam().name);
    int count = 0;
    for (const auto& group : file.at("testGroups"))
        count += run_group(group, kGroupFields, kTestFields,
                           group.at("type") == "HkdfTest" ? check_with(GetParam().digest) : Check());
    EXPECT_EQ(count, file.at("numberOfTests").get<int>());
}

INSTANTIATE_TEST_SUITE_P(Files, HkdfWycheproof,
                         testing::Values(File{"hkdf_sha256_test.json", "SHA256"},
                                         File{"hkdf_sha384_test.json", "SHA384"}),
                         [](const auto& file) {
                             return name_of_file({file.param.name, file.index});
                         });

}  // namespace
}  // namespace octavo::test
