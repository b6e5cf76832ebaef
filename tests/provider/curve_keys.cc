#include "curve_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <cstring>
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

std::string number(EVP_PKEY* key, const char* name) {
    BIGNUM* value = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return "-";
    char* text = BN_bn2hex(value);
    std::string copy(text);
    OPENSSL_free(text);
    BN_clear_free(value);
    return copy;
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

const std::vector<Group> kEdwardsGroups = {
    {"Ed25519", "ED25519", nullptr, 32, 0, true},
    {"Ed448", "ED448", nullptr, 57, 0, true},
};

std::vector<Group> all_groups() {
    auto all = kExchangeGroups;
    all.insert(all.end(), kEdwardsGroups.begin(), kEdwardsGroups.end());
    return all;
}

std::vector<Group> ecdsa_groups() {
    auto all = kExchangeGroups;
    std::erase_if(all, [](const Group& group) { return std::strcmp(group.type, "EC") != 0; });
    return all;
}

bool lanes_need_no_company(const Group& group) {
    return group.name == std::string("P384") || group.name == std::string("Ed25519");
}

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

void note_key(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key) {
    if (key == nullptr) return trace.value("key", "none");
    trace.value("sizes", std::to_string(EVP_PKEY_get_bits(key)) + " " +
                             std::to_string(EVP_PKEY_get_security_bits(key)) + " " +
                             std::to_string(EVP_PKEY_get_size(key)));
    char text[80] = "";
    std::size_t len = 0;
    trace.note("group name", EVP_PKEY_get_group_name(key, text, sizeof text, &len));
    trace.value("group name", text);
    trace.note("default digest", EVP_PKEY_get_default_digest_name(key, text, sizeof text));
    trace.value("type", EVP_PKEY_get0_type_name(key));
    trace.note("point format", EVP_PKEY_get_ec_point_conv_form(key));
    trace.note("field type", EVP_PKEY_get_field_type(key));
    trace.note("can sign", EVP_PKEY_can_sign(key));
    const auto context = context_for(side, key);
    trace.note("check", EVP_PKEY_check(context.get()));
    trace.note("public check", EVP_PKEY_public_check(context.get()));
    trace.note("quick public check", EVP_PKEY_public_check_quick(context.get()));
    trace.note("private check", EVP_PKEY_private_check(context.get()));
    trace.note("pairwise check", EVP_PKEY_pairwise_check(context.get()));
    trace.note("param check", EVP_PKEY_param_check(context.get()));
}

void note_numbers(Trace& trace, EVP_PKEY* key) {
    for (const auto* name : {OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y,
                             OSSL_PKEY_PARAM_EC_ORDER, OSSL_PKEY_PARAM_EC_COFACTOR})
        trace.value(name, number(key, name));
    Data bytes(200);
    std::size_t len = 0;
    for (const auto* name : {OSSL_PKEY_PARAM_PUB_KEY, OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY})
        if (trace.note(name, EVP_PKEY_get_octet_string_param(key, name, bytes.data(), bytes.size(), &len)))
            trace.value(name, hex(Data(bytes.begin(), bytes.begin() + static_cast<long>(len))));
    ERR_clear_error();
}

std::string pem(EVP_PKEY* key, bool whole) {
    auto* bio = BIO_new(BIO_s_mem());
    const int written = whole ? PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr)
                              : PEM_write_bio_PUBKEY(bio, key);
    EXPECT_EQ(written, 1);
    char* text = nullptr;
    const auto len = BIO_get_mem_data(bio, &text);
    std::string copy(text, static_cast<std::size_t>(len));
    BIO_free(bio);
    return copy;
}

Pkey from_pem(OSSL_LIB_CTX* side, const std::string& text, bool whole) {
    auto* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    auto* key = whole ? PEM_read_bio_PrivateKey_ex(bio, nullptr, nullptr, nullptr, side, nullptr)
                      : PEM_read_bio_PUBKEY_ex(bio, nullptr, nullptr, nullptr, side, nullptr);
    BIO_free(bio);
    return Pkey(key);
}

/// Only what libssl calls; empty when it fails. A key made in a job gets no twin by it.
Data plain_derive(OSSL_LIB_CTX* side, EVP_PKEY* key, EVP_PKEY* peer) {
    const auto context = context_for(side, key);
    Data secret(200);
    auto len = secret.size();
    const bool good = EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), peer) == 1 &&
                      EVP_PKEY_derive(context.get(), secret.data(), &len) == 1;
    ERR_clear_error();
    secret.resize(good ? len : 0);
    return secret;
}

}  // namespace octavo::test
