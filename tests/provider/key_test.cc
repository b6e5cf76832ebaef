#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <functional>
#include <optional>

#include "keys.hpp"
#include "shim.hpp"
#include "support/leaks.hpp"

namespace octavo::test {
namespace {

OSSL_LIB_CTX* const kSides[] = {with_octavo(), without_octavo()};

/// Runs the same on both sides and compares.
void compare(const char* what, const std::function<void(Trace&, OSSL_LIB_CTX*)>& run) {
    SCOPED_TRACE(what);
    Trace traces[2];
    for (int i = 0; i < 2; ++i) run(traces[i], kSides[i]);
    EXPECT_EQ(traces[0].text(), traces[1].text());
}

std::string number(EVP_PKEY* key, const char* name) {
    BIGNUM* value = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return "-";
    char* hex = BN_bn2hex(value);
    std::string text(hex);
    OPENSSL_free(hex);
    BN_clear_free(value);
    return text;
}

const char* const kNumbers[] = {
    OSSL_PKEY_PARAM_RSA_N,           OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,     OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_FACTOR3,
    OSSL_PKEY_PARAM_RSA_EXPONENT1,   OSSL_PKEY_PARAM_RSA_EXPONENT3, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT2};

void note_key(Trace& trace, EVP_PKEY* key) {
    if (key == nullptr) {
        trace.value("key", "none");
        return;
    }
    trace.value("sizes", std::to_string(EVP_PKEY_get_bits(key)) + " " +
                             std::to_string(EVP_PKEY_get_security_bits(key)) + " " +
                             std::to_string(EVP_PKEY_get_size(key)));
    for (const auto* name : kNumbers) trace.value(name, number(key, name));
    char digest[64] = "";
    trace.note("default digest", EVP_PKEY_get_default_digest_name(key, digest, sizeof digest));
    trace.value("digest", digest);
    trace.value("type", EVP_PKEY_get0_type_name(key));
    trace.value("type of RSA",
                std::to_string(EVP_PKEY_is_a(key, "RSA")) + std::to_string(EVP_PKEY_is_a(key, "RSA-PSS")));
}

void note_checks(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key) {
    const auto context = context_for(side, key);
    trace.note("check", EVP_PKEY_check(context.get()));
    trace.note("public check", EVP_PKEY_public_check(context.get()));
    trace.note("private check", EVP_PKEY_private_check(context.get()));
    trace.note("pairwise check", EVP_PKEY_pairwise_check(context.get()));
    trace.note("param check", EVP_PKEY_param_check(context.get()));
}

class Keys : public testing::TestWithParam<Shape> {};

TEST_P(Keys, NumbersAndChecksAreTheSame) {
    compare("key", [](Trace& trace, OSSL_LIB_CTX* side) {
        const auto pkey = key(GetParam(), side);
        note_key(trace, pkey.get());
        note_checks(trace, side, pkey.get());
    });
}

TEST_P(Keys, BelongToOctavo) {
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key(GetParam(), with_octavo()).get())), "octavo");
}

TEST_P(Keys, AreExportedAndImported) {
    compare("round trip", [](Trace& trace, OSSL_LIB_CTX* side) {
        const auto from = key(GetParam(), side);
        for (const int selection : {EVP_PKEY_KEYPAIR, EVP_PKEY_PUBLIC_KEY, EVP_PKEY_KEY_PARAMETERS}) {
            OSSL_PARAM* params = nullptr;
            if (!trace.note("todata", EVP_PKEY_todata(from.get(), selection, &params))) continue;
            const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, EVP_PKEY_get0_type_name(from.get()), nullptr));
            EVP_PKEY_fromdata_init(context.get());
            EVP_PKEY* to = nullptr;
            trace.note("fromdata", EVP_PKEY_fromdata(context.get(), &to, selection, params));
            const Pkey owner(to);
            note_key(trace, to);
            if (to != nullptr) trace.note("eq", EVP_PKEY_eq(from.get(), to));
            OSSL_PARAM_free(params);
        }
    });
}

TEST_P(Keys, AreDuplicatedAndCompared) {
    compare("dup", [](Trace& trace, OSSL_LIB_CTX* side) {
        const auto from = key(GetParam(), side);
        const Pkey copy(EVP_PKEY_dup(from.get()));
        ASSERT_NE(copy, nullptr);
        note_key(trace, copy.get());
        trace.note("eq", EVP_PKEY_eq(from.get(), copy.get()));
        trace.note("eq other", EVP_PKEY_eq(from.get(), key(Shape::exponent3, side).get()));
        trace.note("parameters eq", EVP_PKEY_parameters_eq(from.get(), copy.get()));
    });
    const auto ours = key(GetParam(), with_octavo()), theirs = key(GetParam(), without_octavo());
    EXPECT_EQ(EVP_PKEY_eq(ours.get(), theirs.get()), 1);
}

TEST_P(Keys, PassThroughPemAndDer) {
    if (GetParam() == Shape::public_2048) return;
    compare("pem", [](Trace& trace, OSSL_LIB_CTX* side) {
        const auto text = pem(key(GetParam(), side).get());
        trace.value("pem", text);
        auto* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
        const Pkey read(PEM_read_bio_PrivateKey_ex(bio, nullptr, nullptr, nullptr, side, nullptr));
        BIO_free(bio);
        note_key(trace, read.get());
        unsigned char* der = nullptr;
        const auto len = i2d_PUBKEY(read.get(), &der);
        const unsigned char* at = der;
        const Pkey back(d2i_PUBKEY_ex(nullptr, &at, len, side, nullptr));
        note_key(trace, back.get());
        OPENSSL_free(der);
        std::size_t text_len = 0;
        unsigned char* as_text = nullptr;
        auto* encoder =
            OSSL_ENCODER_CTX_new_for_pkey(key(GetParam(), side).get(), EVP_PKEY_KEYPAIR, "TEXT", nullptr, nullptr);
        trace.note("encode", OSSL_ENCODER_to_data(encoder, &as_text, &text_len));
        trace.value("text", std::string(reinterpret_cast<char*>(as_text), text_len));
        OSSL_ENCODER_CTX_free(encoder);
        OPENSSL_free(as_text);
    });
}

TEST_P(Keys, FromPemSignOnOctavo) {
    // A private key in DER has its CRT values; without them there is none to read.
    if (GetParam() == Shape::no_crt || GetParam() == Shape::public_2048 || GetParam() == Shape::wrong_crt ||
        GetParam() == Shape::tiny_512)
        return;
    const auto text = pem(key(GetParam(), without_octavo()).get());
    auto* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    const Pkey read(PEM_read_bio_PrivateKey_ex(bio, nullptr, nullptr, nullptr, with_octavo(), nullptr));
    BIO_free(bio);
    ASSERT_NE(read, nullptr);
    const MdContext context(EVP_MD_CTX_new());
    Data signature(1024);
    auto len = signature.size();
    const auto message = data(1000, 1);
    const int before = shim::operations();
    ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", with_octavo(), nullptr, read.get(), nullptr), 1);
    ASSERT_EQ(EVP_DigestSign(context.get(), signature.data(), &len, message.data(), message.size()), 1);
    EXPECT_EQ(shim::operations() - before, 1);
    const MdContext verifier(EVP_MD_CTX_new());
    ASSERT_EQ(EVP_DigestVerifyInit_ex(verifier.get(), nullptr, "SHA256", without_octavo(), nullptr,
                                      key(GetParam(), without_octavo()).get(), nullptr),
              1);
    EXPECT_EQ(EVP_DigestVerify(verifier.get(), signature.data(), len, message.data(), message.size()), 1);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Keys, testing::ValuesIn(kAllShapes),
                         [](const auto& shape) { return name_of(shape.param); });

/// An import with numbers put in, changed or left out.
void import_numbers(Trace& trace, OSSL_LIB_CTX* side, const std::vector<std::pair<const char*, BIGNUM*>>& numbers) {
    auto* build = OSSL_PARAM_BLD_new();
    for (const auto& [name, value] : numbers) OSSL_PARAM_BLD_push_BN(build, name, value);
    auto* params = OSSL_PARAM_BLD_to_param(build);
    OSSL_PARAM_BLD_free(build);
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, "RSA", nullptr));
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY* to = nullptr;
    trace.note("fromdata", EVP_PKEY_fromdata(context.get(), &to, EVP_PKEY_KEYPAIR, params));
    OSSL_PARAM_free(params);
    const Pkey owner(to);
    if (to == nullptr) return;
    note_key(trace, to);
    note_checks(trace, side, to);
    Data out(4096);
    const auto tbs = data(32, 1);
    for (int i = 0; i < 3; ++i) {
        const auto signer = context_for(side, to);
        auto len = out.size();
        trace.note("sign_init", EVP_PKEY_sign_init(signer.get()));
        trace.note("sign", EVP_PKEY_sign(signer.get(), out.data(), &len, tbs.data(), tbs.size()));
        const auto encrypter = context_for(side, to);
        trace.note("encrypt_init", EVP_PKEY_encrypt_init(encrypter.get()));
        len = out.size();
        trace.note("encrypt", EVP_PKEY_encrypt(encrypter.get(), out.data(), &len, tbs.data(), tbs.size()));
    }
}

TEST(KeyImport, MalformedNumbers) {
    const auto good = key(Shape::rsa2048, without_octavo());
    const char* const names[] = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                                 OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
                                 OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                 OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    std::vector<std::pair<const char*, BIGNUM*>> numbers;
    for (const auto* name : names) {
        BIGNUM* value = nullptr;
        ASSERT_EQ(EVP_PKEY_get_bn_param(good.get(), name, &value), 1);
        numbers.emplace_back(name, value);
    }
    const auto with = [&](std::size_t i, const char* what, const std::function<void(BIGNUM*)>& change) {
        auto changed = numbers;
        changed[i].second = BN_dup(numbers[i].second);
        change(changed[i].second);
        SCOPED_TRACE(numbers[i].first);
        compare(what, [&](Trace& trace, OSSL_LIB_CTX* side) { import_numbers(trace, side, changed); });
        BN_free(changed[i].second);
    };
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        with(i, "plus one", [](BIGNUM* n) { BN_add_word(n, 1); });
        // A modulus or exponent of 0 or 1 is left out where the default provider's own arithmetic would not end.
        if (i > 1) with(i, "one", [](BIGNUM* n) { BN_one(n); });
        auto without = numbers;
        without.erase(without.begin() + static_cast<long>(i));
        // OpenSSL 3.0's own import loses two numbers where a CRT value is missing, on both sides.
        std::optional<LossesExpected> in_openssl;
        if (i > 2) in_openssl.emplace();
        compare("left out", [&](Trace& trace, OSSL_LIB_CTX* side) { import_numbers(trace, side, without); });
    }
    with(4, "q is p", [&](BIGNUM* n) { BN_copy(n, numbers[3].second); });
    with(1, "huge exponent", [&](BIGNUM* n) { BN_sub(n, numbers[0].second, BN_value_one()); });
    for (auto& [name, value] : numbers) BN_free(value);
}

int count_progress(EVP_PKEY_CTX* context) {
    ++*static_cast<int*>(EVP_PKEY_CTX_get_app_data(context));
    return 1;
}

TEST(KeyGeneration, TakesItsParametersAndTellsProgress) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(with_octavo(), "RSA", nullptr));
    int progress = 0;
    unsigned bits = 1024, e = 3, primes = 2;
    ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                                 OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &e),
                                 OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_PRIMES, &primes),
                                 OSSL_PARAM_construct_end()};
    ASSERT_EQ(EVP_PKEY_CTX_set_params(context.get(), params), 1);
    EVP_PKEY_CTX_set_app_data(context.get(), &progress);
    EVP_PKEY_CTX_set_cb(context.get(), count_progress);
    EVP_PKEY* made = nullptr;
    ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
    const Pkey owner(made);
    EXPECT_GT(progress, 0);
    EXPECT_EQ(EVP_PKEY_get_bits(made), 1024);
    EXPECT_EQ(number(made, OSSL_PKEY_PARAM_RSA_E), "03");
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(made)), "octavo");
    EXPECT_EQ(EVP_PKEY_check(context_for(with_octavo(), made).get()), 1);
}

TEST(KeyGeneration, RefusesWhatTheDefaultProviderRefuses) {
    for (const auto& [bits, e, primes] :
         {std::tuple{100U, 65537U, 2U}, {1024U, 4U, 2U}, {1024U, 1U, 2U}, {512U, 65537U, 5U}, {1024U, 65537U, 1U}})
        compare("generation", [&, b = bits, ee = e, p = primes](Trace& trace, OSSL_LIB_CTX* side) {
            unsigned bit_count = b, exponent = ee, prime_count = p;
            const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, "RSA", nullptr));
            trace.note("init", EVP_PKEY_keygen_init(context.get()));
            const OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bit_count),
                                         OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
                                         OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_PRIMES, &prime_count),
                                         OSSL_PARAM_construct_end()};
            if (!trace.note("set", EVP_PKEY_CTX_set_params(context.get(), params))) return;
            EVP_PKEY* made = nullptr;
            trace.note("generate", EVP_PKEY_generate(context.get(), &made));
            EVP_PKEY_free(made);
        });
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/// Applications that still hold an RSA object: it is exported to us, once, for each change of it.
TEST(LegacyKey, SignsOnOctavo) {
    RSA* rsa = EVP_PKEY_get1_RSA(key(Shape::rsa2048, without_octavo()).get());
    ASSERT_NE(rsa, nullptr);
    const Pkey legacy(EVP_PKEY_new());
    ASSERT_EQ(EVP_PKEY_assign_RSA(legacy.get(), rsa), 1);
    const auto context = context_for(with_octavo(), legacy.get());
    const auto tbs = data(32, 1);
    Data signature(256);
    auto len = signature.size();
    const int before = shim::operations();
    ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &len, tbs.data(), tbs.size()), 1);
    EXPECT_EQ(shim::operations() - before, 1);
}

#pragma GCC diagnostic pop

TEST(OtherOperations, AreTheDefaultProviders) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    const auto context = context_for(with_octavo(), rsa.get());
    ASSERT_EQ(EVP_PKEY_encapsulate_init(context.get(), nullptr), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_kem_op(context.get(), "RSASVE"), 1);
    Data wrapped(256), secret(256);
    auto wrapped_len = wrapped.size(), secret_len = secret.size();
    EXPECT_EQ(EVP_PKEY_encapsulate(context.get(), wrapped.data(), &wrapped_len, secret.data(), &secret_len), 1);
    const Pkey sm2(EVP_PKEY_Q_keygen(with_octavo(), nullptr, "SM2"));
    ASSERT_NE(sm2, nullptr);
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(sm2.get())), "default");
}

TEST(Provider, SaysWhatItIs) {
    auto* provider = OSSL_PROVIDER_load(with_octavo(), "octavo");
    const char *name = nullptr, *version = nullptr;
    int status = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_NAME, const_cast<char**>(&name), 0),
                           OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, const_cast<char**>(&version), 0),
                           OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, &status), OSSL_PARAM_construct_end()};
    ASSERT_EQ(OSSL_PROVIDER_get_params(provider, params), 1);
    EXPECT_STREQ(name, "Octavo");
    EXPECT_NE(version, nullptr);
    EXPECT_EQ(status, 1);
    OSSL_PROVIDER_unload(provider);
}

TEST(Provider, LoadsAndUnloadsAgainAndAgain) {
    for (int i = 0; i < 3; ++i) {
        auto* context = OSSL_LIB_CTX_new();
        OSSL_PROVIDER_set_default_search_path(context, OCTAVO_MODULES);
        auto* octavo = OSSL_PROVIDER_load(context, "octavo");
        auto* standard = OSSL_PROVIDER_load(context, "default");
        ASSERT_NE(octavo, nullptr);
        const PkeyContext generator(EVP_PKEY_CTX_new_from_name(context, "RSA", "provider=octavo"));
        EVP_PKEY* made = nullptr;
        unsigned bits = 1024;
        const OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                                     OSSL_PARAM_construct_end()};
        ASSERT_EQ(EVP_PKEY_keygen_init(generator.get()), 1);
        ASSERT_EQ(EVP_PKEY_CTX_set_params(generator.get(), params), 1);
        ASSERT_EQ(EVP_PKEY_generate(generator.get(), &made), 1);
        EVP_PKEY_free(made);
        OSSL_PROVIDER_unload(standard);
        OSSL_PROVIDER_unload(octavo);
        OSSL_LIB_CTX_free(context);
    }
}

}  // namespace
}  // namespace octavo::test
