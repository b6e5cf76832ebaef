#include <openssl/hmac.h>

#include <optional>

#include "kdf_session.hpp"
#include "support/own_work.hpp"

namespace octavo::test {
namespace {

struct Step {
    std::optional<int> mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    std::optional<std::string> digest = "SHA2-384";
    std::optional<Data> key = data(48, 1), salt, prefix = data("tls13 "), label = data("c hs traffic"), data_;
    std::size_t out_len = 48;
};

Params params_of(const Step& step) {
    Params params;
    if (step.mode) params.number(OSSL_KDF_PARAM_MODE, *step.mode);
    if (step.digest) params.text(OSSL_KDF_PARAM_DIGEST, *step.digest);
    const auto add = [&](const char* name, const std::optional<Data>& bytes) {
        if (bytes) params.octets(name, *bytes);
    };
    add(OSSL_KDF_PARAM_KEY, step.key);
    add(OSSL_KDF_PARAM_SALT, step.salt);
    add(OSSL_KDF_PARAM_PREFIX, step.prefix);
    add(OSSL_KDF_PARAM_LABEL, step.label);
    add(OSSL_KDF_PARAM_DATA, step.data_);
    return params;
}

void same(const std::string& what, const std::function<void(KdfSession&)>& calls) {
    expect_same<KdfSession>("TLS13-KDF", what, calls);
}

void expect_same(const Step& step, const char* what) {
    same(what, [&](KdfSession& s) { s.derive(step.out_len, params_of(step)); });
}

TEST(Tls13Kdf, TheWorkIsOctavos) {
    for (const auto* digest : {"SHA2-256", "SHA2-384"})
        for (const int mode : {EVP_KDF_HKDF_MODE_EXPAND_ONLY, EVP_KDF_HKDF_MODE_EXTRACT_ONLY}) {
            Step step;
            step.mode = mode;
            step.digest = digest;
            step.out_len = std::string(digest) == "SHA2-256" ? 32 : 48;
            step.key = data(step.out_len, 1);
            if (mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY) step.salt = data(step.out_len, 2);
            const auto hashes_on = [&](OSSL_LIB_CTX* side) {
                KdfSession session(side, "TLS13-KDF");
                return own_work::hashes_in([&] { session.derive(step.out_len, params_of(step)); });
            };
            EXPECT_GT(hashes_on(with_octavo()), 0) << digest;
            EXPECT_EQ(hashes_on(without_octavo()), 0) << digest;
        }
}

TEST(Tls13Kdf, StepsOfTheKeyScheduleAreTheDefaultProviders) {
    for (const auto* digest : {"SHA2-256", "SHA256", "sha-256", "SHA2-384", "SHA384"}) {
        const std::size_t len = std::string(digest).find("256") != std::string::npos ? 32 : 48;
        for (unsigned seed = 0; seed < 8; ++seed) {
            Step step;
            step.digest = digest;
            step.key = data(len, seed);
            step.out_len = seed == 0 ? 1 : seed == 1 ? 12 : seed == 2 ? len - 1 : len;
            if (seed % 2 == 1) step.data_ = data(seed == 3 ? 0 : len, seed + 100);
            expect_same(step, digest);
            step.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
            step.label = data("derived");
            step.data_.reset();
            step.out_len = len;
            if (seed > 2) step.salt = data(len, seed + 200);
            if (seed > 5) step.key.reset();
            expect_same(step, digest);
        }
    }
}

TEST(Tls13Kdf, TheFirstSecretsAreWhatHmacMakesOfZeros) {
    for (const auto* digest : {"SHA2-256", "SHA2-384"}) {
        const EVP_MD* md = EVP_get_digestbyname(digest);
        Step step;
        step.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
        step.digest = digest;
        step.key.reset();
        step.out_len = static_cast<std::size_t>(EVP_MD_get_size(md));
        expect_same(step, digest);
        Data early(step.out_len);
        const Data zeros(step.out_len);
        ASSERT_NE(
            HMAC(md, zeros.data(), static_cast<int>(zeros.size()), zeros.data(), zeros.size(), early.data(), nullptr),
            nullptr);
        step.salt = early;
        for (const auto* label : {"derived", "derive", "Derived"}) {
            step.label = data(label);
            for (const auto* prefix : {"tls13 ", "tls12 "}) {
                step.prefix = data(prefix);
                step.key = data(step.out_len, 3);
                expect_same(step, label);
                step.key.reset();
                expect_same(step, label);
            }
        }
    }
}

TEST(Tls13Kdf, OddAndBadInputHasTheDefaultProvidersAnswer) {
    for (const auto mode : {EVP_KDF_HKDF_MODE_EXPAND_ONLY, EVP_KDF_HKDF_MODE_EXTRACT_ONLY}) {
        const auto with = [&](const char* what, auto&& change) {
            Step step;
            step.mode = mode;
            change(step);
            expect_same(step, what);
        };
        with("as it is", [](Step&) {});
        for (const std::size_t len : {0UL, 1UL, 47UL, 49UL, 64UL, 128UL, 129UL, 200UL}) {
            with("key", [&](Step& s) { s.key = data(len, 2); });
            with("salt", [&](Step& s) { s.salt = data(len, 2); });
            with("data", [&](Step& s) { s.data_ = data(len, 2); });
            with("label", [&](Step& s) { s.label = data(len, 2); });
            with("prefix", [&](Step& s) { s.prefix = data(len, 2); });
            with("length", [&](Step& s) { s.out_len = len; });
        }
        with("no key", [](Step& s) { s.key.reset(); });
        with("no label", [](Step& s) { s.label.reset(); });
        with("no prefix", [](Step& s) { s.prefix.reset(); });
        with("no digest", [](Step& s) { s.digest.reset(); });
        for (const auto* digest : {"SHA1", "SHA2-512", "SHA3-256", "SHAKE128", "none"})
            with(digest, [&](Step& s) { s.digest = digest; });
    }
    for (const int mode : {-1, 0, 3}) {
        Step step;
        step.mode = mode;
        expect_same(step, "mode");
    }
    Step step;
    step.mode.reset();
    expect_same(step, "no mode");
}

TEST(Tls13Kdf, WhatWasSetBeforeCountsAndSoDoesAReset) {
    same("set and reset", [](KdfSession& s) {
        Step early, late;
        early.label = data("early");
        late.key.reset();
        late.label.reset();
        s.set(params_of(early));
        s.derive(48, params_of(late));
        s.size();
        s.duplicate();
        s.derive(48, Params().octets(OSSL_KDF_PARAM_SALT, {}));
        s.derive(48, Params().octets(OSSL_KDF_PARAM_LABEL, {}));
        s.reset();
        s.derive(48, params_of(late));
        s.set(Params().text(OSSL_KDF_PARAM_DIGEST, "SHA256"));
        s.size();
    });
}

TEST(Tls13Kdf, TheNextDerivationHasWhatTheLastOneWasGiven) {
    same("one after another", [](KdfSession& s) {
        Step first, other;
        first.data_ = data(48, 7);
        other.mode.reset();
        other.digest.reset();
        other.key.reset();
        other.label = data("key");
        for (const auto* step : {&first, &other}) s.derive(32, params_of(*step));
        s.derive(32);
    });
}

}  // namespace
}  // namespace octavo::test
