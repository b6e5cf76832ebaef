#include "wycheproof.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "keys.hpp"
#include "shim.hpp"

// Third-party vectors (Project Wycheproof) through EVP and the provider. A field or a group type that is not known fails.
namespace octavo::test {
namespace {

const std::set<std::string> kGroupFields = {
    "type",         "source",          "keySize",       "sha",           "mgf",       "mgfSha",       "sLen",
    "privateKey",   "privateKeyPkcs8", "privateKeyPem", "privateKeyJwk", "publicKey", "publicKeyAsn", "publicKeyDer",
    "publicKeyPem", "publicKeyJwk",    "keyAsn",        "keyDer",        "keyPem",    "keyJwk",       "tests"};
const std::set<std::string> kTestFields = {"tcId", "comment", "flags", "result", "msg", "sig", "ct", "label"};

Pkey read_key(const Json& group) {
    const bool is_private = group.contains("privateKeyPem");
    const std::string pem = group.at(is_private ? "privateKeyPem" : "publicKeyPem");
    auto* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    auto* key = is_private ? PEM_read_bio_PrivateKey_ex(bio, nullptr, nullptr, nullptr, with_octavo(), nullptr)
                           : PEM_read_bio_PUBKEY_ex(bio, nullptr, nullptr, nullptr, with_octavo(), nullptr);
    BIO_free(bio);
    return Pkey(key);
}

bool set_pss(EVP_PKEY_CTX* context, const Json& group) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, group.at("sLen")) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, group.at("mgfSha").get<std::string>().c_str(), nullptr) == 1;
}

bool verifies(EVP_PKEY* key, const Json& group, const Json& test) {
    const auto message = unhex(test.at("msg")), signature = unhex(test.at("sig"));
    const MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    return EVP_DigestVerifyInit_ex(context.get(), &settings, group.at("sha").get<std::string>().c_str(), with_octavo(),
                                   nullptr, key, nullptr) == 1 &&
           (!group.contains("sLen") || set_pss(settings, group)) &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

bool signs(EVP_PKEY* key, const Json& group, const Json& test) {
    const auto message = unhex(test.at("msg"));
    const MdContext context(EVP_MD_CTX_new());
    Data signature(4096);
    auto len = signature.size();
    if (EVP_DigestSignInit_ex(context.get(), nullptr, group.at("sha").get<std::string>().c_str(), with_octavo(),
                              nullptr, key, nullptr) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &len, message.data(), message.size()) != 1)
        return false;
    signature.resize(len);
    return signature == unhex(test.at("sig")) && verifies(key, group, test);
}

bool set_oaep(EVP_PKEY_CTX* context, const Json& group, const Data& label) {
    if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md_name(context, group.at("sha").get<std::string>().c_str(), nullptr) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, group.at("mgfSha").get<std::string>().c_str(), nullptr) != 1)
        return false;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                                             const_cast<std::uint8_t*>(label.data()), label.size()),
                           OSSL_PARAM_construct_end()};
    return label.empty() || EVP_PKEY_CTX_set_params(context, params) == 1;
}

bool decrypts(EVP_PKEY* key, const Json& group, const Json& test) {
    const auto ciphertext = unhex(test.at("ct"));
    const auto context = context_for(with_octavo(), key);
    Data out(4096);
    auto len = out.size();
    if (EVP_PKEY_decrypt_init(context.get()) != 1) return false;
    if (group.at("type") == "RsaesOaepDecrypt" && !set_oaep(context.get(), group, unhex(test.at("label"))))
        return false;
    if (EVP_PKEY_decrypt(context.get(), out.data(), &len, ciphertext.data(), ciphertext.size()) != 1) return false;
    out.resize(len);
    return out == unhex(test.at("msg"));
}

using KeyCheck = bool (*)(EVP_PKEY*, const Json&, const Json&);

KeyCheck check_for(const std::string& type) {
    if (type == "RsassaPkcs1Verify" || type == "RsassaPssVerify") return verifies;
    if (type == "RsassaPkcs1Generate") return signs;
    if (type == "RsaesPkcs1Decrypt" || type == "RsaesOaepDecrypt") return decrypts;
    return nullptr;
}

int run_group_with_key(const Json& group) {
    const auto check = check_for(group.at("type"));
    const auto key = read_key(group);
    EXPECT_NE(key, nullptr);
    return run_group(
        group, kGroupFields, kTestFields,
        check == nullptr ? Check() : [&](const Json&, const Json& test) { return check(key.get(), group, test); });
}

class Wycheproof : public testing::TestWithParam<const char*> {};

TEST_P(Wycheproof, Vectors) {
    if (!has_vectors()) GTEST_SKIP() << no_vectors();
    const auto file = read_vectors(GetParam());
    const int before = shim::operations();
    int count = 0;
    for (const auto& group : file.at("testGroups")) count += run_group_with_key(group);
    EXPECT_EQ(count, file.at("numberOfTests").get<int>());
    EXPECT_GT(shim::operations(), before) << "nothing of this ran on Octavo";
    RecordProperty("vectors", count);
}

INSTANTIATE_TEST_SUITE_P(Files, Wycheproof,
                         testing::Values("rsa_oaep_2048_sha256_mgf1sha256_test.json",
                                         "rsa_pkcs1_2048_sig_gen_test.json", "rsa_pkcs1_2048_test.json",
                                         "rsa_pkcs1_3072_sig_gen_test.json", "rsa_pkcs1_4096_sig_gen_test.json",
                                         "rsa_pss_2048_sha256_mgf1_32_test.json",
                                         "rsa_pss_4096_sha384_mgf1_48_test.json", "rsa_signature_2048_sha256_test.json",
                                         "rsa_signature_3072_sha384_test.json", "rsa_signature_4096_sha512_test.json"),
                         name_of_file);

}  // namespace
}  // namespace octavo::test
