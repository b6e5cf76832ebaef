#include "curve_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <map>
#include <mutex>
#include <stdexcept>

namespace octavo::test {
namespace {

Pkey import(OSSL_LIB_CTX* side, const Group& group, EVP_PKEY* from, int selection) {
    OSSL_PARAM* params = nullptr;
    EVP_PKEY_todata(from, selection, &params);
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, group.type, nullptr));
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY* key = nullptr;
    EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &key, selection, params), 1) << group.name;
    OSSL_PARAM_free(params);
    return Pkey(key);
}

EVP_PKEY* generated(const Group& group, unsigned seed) {
    static std::mutex mutex;
    static std::map<std::pair<std::string, unsigned>, Pkey> keys;
    const std::lock_guard lock(mutex);
    auto& key = keys[{group.name, seed}];
    if (key == nullptr) {
        Trace trace;
        key = generate(trace, without_octavo(), group);
        EXPECT_NE(key, nullptr) << trace.text();
    }
    return key.get();
}

Pkey run(Trace& trace, const char* what, int (*init)(EVP_PKEY_CTX*), OSSL_LIB_CTX* side, const Group& group) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, group.type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!trace.note("init", init(context.get())) ||
        (group.group != nullptr && !trace.note("group", EVP_PKEY_CTX_set_group_name(context.get(), group.group))))
        return nullptr;
    trace.note(what, EVP_PKEY_generate(context.get(), &key));
    return Pkey(key);
}

}  // namespace

const std::vector<Group> kExchangeGroups = {
    {"X25519", "X25519", nullptr, 32, 32, true},
    {"X25519Named", "X25519", "x25519", 32, 32, true},
    {"X448", "X448", nullptr, 56, 56, true},
    {"P256", "EC", "P-256", 65, 32, true},
    {"P384", "EC", "secp384r1", 97, 48, true},
    {"P521", "EC", "P-521", 133, 66, true},
    {"P224", "EC", "P-224", 57, 28, true},
    {"Secp256k1", "EC", "secp256k1", 65, 32, true},
    {"BrainpoolP256", "EC", "brainpoolP256r1", 65, 32, true},
    {"BrainpoolP384", "EC", "brainpoolP384r1", 97, 48, true},
    {"BrainpoolP512", "EC", "brainpoolP512r1", 129, 64, true},
    {"BrainpoolP320", "EC", "brainpoolP320r1", 81, 40, false},
    {"Sect283", "EC", "sect283k1", 73, 36, false},
};

const Group& group_named(const std::string& name) {
    for (const auto& group : kExchangeGroups)
        if (group.name == name) return group;
    throw std::invalid_argument(name);
}

Pkey curve_key(const Group& group, unsigned seed, OSSL_LIB_CTX* side) {
    return import(side, group, generated(group, seed), EVP_PKEY_KEYPAIR);
}

Pkey public_curve_key(const Group& group, unsigned seed, OSSL_LIB_CTX* side) {
    return import(side, group, generated(group, seed), EVP_PKEY_PUBLIC_KEY);
}

Pkey generate(Trace& trace, OSSL_LIB_CTX* side, const Group& group) {
    return run(trace, "keygen", EVP_PKEY_keygen_init, side, group);
}

Pkey parameters(Trace& trace, OSSL_LIB_CTX* side, const Group& group) {
    return run(trace, "paramgen", EVP_PKEY_paramgen_init, side, group);
}

Data encoded_public_key(EVP_PKEY* key) {
    unsigned char* bytes = nullptr;
    const auto len = EVP_PKEY_get1_encoded_public_key(key, &bytes);
    Data all(bytes, bytes + len);
    OPENSSL_free(bytes);
    return all;
}

}  // namespace octavo::test
