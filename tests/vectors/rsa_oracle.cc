#define OPENSSL_SUPPRESS_DEPRECATED  // the padding functions have no successor that works without a key operation
#include "vectors/rsa_oracle.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace octavo::vectors {
namespace {

using kernel::rsa::test::bn;
using kernel::rsa::test::bytes_of;

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
using RsaPtr = std::unique_ptr<RSA, Deleter<RSA_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using SigPtr = std::unique_ptr<X509_SIG, Deleter<X509_SIG_free>>;

void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("oracle: ") + what);
}

const EVP_MD* digest(const std::string& name) {
    const EVP_MD* md = EVP_get_digestbyname(name.c_str());
    require(md != nullptr, name.c_str());
    return md;
}

ByteVector hash_of(const EVP_MD* md, const ByteVector& message) {
    ByteVector hash(static_cast<std::size_t>(EVP_MD_get_size(md)));
    require(EVP_Digest(message.data(), message.size(), hash.data(), nullptr, md, nullptr) == 1, "digest");
    return hash;
}

ByteVector digest_info(const EVP_MD* md, const ByteVector& hash) {
    const SigPtr info{X509_SIG_new()};
    X509_ALGOR* algorithm = nullptr;
    ASN1_OCTET_STRING* value = nullptr;
    X509_SIG_getm(info.get(), &algorithm, &value);
    require(X509_ALGOR_set0(algorithm, OBJ_nid2obj(EVP_MD_get_type(md)), V_ASN1_NULL, nullptr) == 1, "algorithm");
    require(ASN1_OCTET_STRING_set(value, hash.data(), static_cast<int>(hash.size())) == 1, "hash");
    unsigned char* der = nullptr;
    const int len = i2d_X509_SIG(info.get(), &der);
    require(len > 0, "DigestInfo");
    ByteVector result(der, der + len);
    OPENSSL_free(der);
    return result;
}

Decoded decoded(ByteVector out, int len) {
    ERR_clear_error();
    if (len < 0) return {false, {}};
    out.resize(static_cast<std::size_t>(len));
    return {true, std::move(out)};
}

ByteVector number_of(const EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    require(EVP_PKEY_get_bn_param(key, name, &number) == 1, name);
    return bytes_of(kernel::rsa::test::Bn{number});
}

}  // namespace

ByteVector pkcs1_encoded(const std::string& hash, const ByteVector& message, std::size_t len) {
    const EVP_MD* md = digest(hash);
    const ByteVector info = digest_info(md, hash_of(md, message));
    ByteVector out(len);
    require(RSA_padding_add_PKCS1_type_1(out.data(), static_cast<int>(len), info.data(),
                                         static_cast<int>(info.size())) == 1,
            "padding");
    return out;
}

bool pss_verifies(const TestKey& key, const PssParameters& parameters, const ByteVector& message,
                  const ByteVector& encoded) {
    const RsaPtr rsa{RSA_new()};
    require(RSA_set0_key(rsa.get(), bn(Bytes{key.n}).release(), bn(Bytes{key.e}).release(), nullptr) == 1, "key");
    const EVP_MD* md = digest(parameters.hash);
    const ByteVector hash = hash_of(md, message);
    const int result = RSA_verify_PKCS1_PSS_mgf1(rsa.get(), hash.data(), md, digest(parameters.mgf_hash),
                                                 encoded.data(), parameters.salt_len);
    ERR_clear_error();
    return result == 1;
}

Decoded decode_pkcs1(const ByteVector& encoded) {
    const int len = static_cast<int>(encoded.size());
    ByteVector out(encoded.size());
    const int got = RSA_padding_check_PKCS1_type_2(out.data(), len, encoded.data(), len, len);
    return decoded(std::move(out), got);
}

Decoded decode_oaep(const ByteVector& encoded, const std::string& hash, const std::string& mgf_hash,
                    const ByteVector& label) {
    const int len = static_cast<int>(encoded.size());
    ByteVector out(encoded.size());
    const int got = RSA_padding_check_PKCS1_OAEP_mgf1(out.data(), len, encoded.data(), len, len, label.data(),
                                                      static_cast<int>(label.size()), digest(hash), digest(mgf_hash));
    return decoded(std::move(out), got);
}

TestKey key_from_pkcs8(const ByteVector& der) {
    const unsigned char* at = der.data();
    const PkeyPtr key{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()))};
    require(key != nullptr, "PKCS#8");
    const auto number = [&](const char* name) { return number_of(key.get(), name); };
    return {.n = number(OSSL_PKEY_PARAM_RSA_N),
            .e = number(OSSL_PKEY_PARAM_RSA_E),
            .d = number(OSSL_PKEY_PARAM_RSA_D),
            .p = number(OSSL_PKEY_PARAM_RSA_FACTOR1),
            .q = number(OSSL_PKEY_PARAM_RSA_FACTOR2),
            .dp = number(OSSL_PKEY_PARAM_RSA_EXPONENT1),
            .dq = number(OSSL_PKEY_PARAM_RSA_EXPONENT2),
            .qinv = number(OSSL_PKEY_PARAM_RSA_COEFFICIENT1),
            .extra = {}};
}

}  // namespace octavo::vectors
