#include "keys.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstring>
#include <map>
#include <mutex>

namespace octavo::test {
namespace {

struct Recipe {
    const char* name;
    const char* type = "RSA";
    unsigned bits = 2048;
    unsigned e = 65537;
    unsigned primes = 2;
    bool public_only = false;
    const char* drop = nullptr;  // parameters that begin so are left out
    bool wrong_dp = false;
    bool restricted = false;
};

Recipe recipe(Shape shape) {
    switch (shape) {
        case Shape::rsa1024:
            return {.name = "rsa1024", .bits = 1024};
        case Shape::rsa2048:
            return {.name = "rsa2048"};
        case Shape::rsa3072:
            return {.name = "rsa3072", .bits = 3072};
        case Shape::rsa4096:
            return {.name = "rsa4096", .bits = 4096};
        case Shape::exponent3:
            return {.name = "exponent3", .e = 3};
        case Shape::three_primes:
            return {.name = "three_primes", .primes = 3};
        case Shape::no_crt:
            return {.name = "no_crt", .drop = "rsa-"};
        case Shape::odd_2056:
            return {.name = "odd_2056", .bits = 2056};
        case Shape::odd_2049:
            return {.name = "odd_2049", .bits = 2049};
        case Shape::tiny_512:
            return {.name = "tiny_512", .bits = 512};
        case Shape::wrong_crt:
            return {.name = "wrong_crt", .wrong_dp = true};
        case Shape::public_2048:
            return {.name = "public_2048", .public_only = true};
        case Shape::pss_2048:
            return {.name = "pss_2048", .type = "RSA-PSS"};
        case Shape::pss_restricted:
            return {.name = "pss_restricted", .type = "RSA-PSS", .restricted = true};
    }
    return {};
}

Pkey generate(const Recipe& r) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(without_octavo(), r.type, nullptr));
    EVP_PKEY_keygen_init(context.get());
    unsigned bits = r.bits, e = r.e, primes = r.primes;
    int salt_len = 32;
    char sha256[] = "SHA256";
    std::vector<OSSL_PARAM> params = {OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                                      OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &e),
                                      OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_PRIMES, &primes)};
    if (r.restricted) {
        params.push_back(OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, sha256, 0));
        params.push_back(OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, sha256, 0));
        params.push_back(OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &salt_len));
    }
    params.push_back(OSSL_PARAM_construct_end());
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_CTX_set_params(context.get(), params.data()) != 1 || EVP_PKEY_generate(context.get(), &key) != 1) {
        ERR_print_errors_fp(stderr);
        abort();
    }
    return Pkey(key);
}

Pkey import(OSSL_LIB_CTX* side, const Recipe& r, EVP_PKEY* from) {
    OSSL_PARAM* all = nullptr;
    EVP_PKEY_todata(from, EVP_PKEY_KEYPAIR, &all);
    std::vector<OSSL_PARAM> params;
    for (auto* p = all; p->key != nullptr; ++p) {
        if (r.drop != nullptr && std::strncmp(p->key, r.drop, std::strlen(r.drop)) == 0) continue;
        params.push_back(*p);
        if (r.wrong_dp && std::strcmp(p->key, OSSL_PKEY_PARAM_RSA_EXPONENT1) == 0)
            static_cast<std::uint8_t*>(p->data)[p->data_size / 2] ^= 0x5a;
    }
    params.push_back(OSSL_PARAM_construct_end());
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, r.type, nullptr));
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata(context.get(), &key, r.public_only ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, params.data()) !=
        1)
        ERR_print_errors_fp(stderr);
    OSSL_PARAM_free(all);
    return Pkey(key);
}

}  // namespace

const char* name_of(Shape shape) { return recipe(shape).name; }

Pkey key(Shape shape, OSSL_LIB_CTX* side) {
    static std::mutex mutex;
    static std::map<std::pair<Shape, OSSL_LIB_CTX*>, Pkey> keys;
    const std::lock_guard lock(mutex);
    auto& generated = keys[{shape, nullptr}];
    if (generated == nullptr) generated = generate(recipe(shape));
    auto& imported = keys[{shape, side}];
    if (imported == nullptr) imported = import(side, recipe(shape), generated.get());
    EXPECT_NE(imported, nullptr) << name_of(shape);
    EVP_PKEY_up_ref(imported.get());
    return Pkey(imported.get());
}

std::string pem(EVP_PKEY* key) {
    auto* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const auto len = BIO_get_mem_data(bio, &text);
    std::string copy(text, static_cast<std::size_t>(len));
    BIO_free(bio);
    return copy;
}

}  // namespace octavo::test
