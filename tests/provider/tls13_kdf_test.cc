#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <optional>

#include "sides.hpp"

namespace octavo::test {
namespace {

struct FreeKdf {
    void operator()(EVP_KDF* p) const { EVP_KDF_free(p); }
    void operator()(EVP_KDF_CTX* p) const { EVP_KDF_CTX_free(p); }
};
using Kdf = std::unique_ptr<EVP_KDF, FreeKdf>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, FreeKdf>;

struct Step {
    std::optional<int> mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    std::optional<std::string> digest = "SHA2-384";
    std::optional<Data> key = data(48, 1), salt, prefix = data("tls13 "), label = data("c hs traffic"), data_;
    std::size_t out_len = 48;
};

std::vector<OSSL_PARAM> params_of(Step& step) {
    std::vector<OSSL_PARAM> params;
    if (step.mode) params.push_back(OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &*step.mode));
    if (step.digest) params.push_back(OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, step.digest->data(), 0));
    const auto add = [&](const char* name, std::optional<Data>& bytes) {
        if (!bytes) return;
        bytes->reserve(1);  // no null pointer for what is there and empty
        params.push_back(OSSL_PARAM_construct_octet_string(name, bytes->data(), bytes->size()));
    };
    add(OSSL_KDF_PARAM_KEY, step.key);
    add(OSSL_KDF_PARAM_SALT, step.salt);
    add(OSSL_KDF_PARAM_PREFIX, step.prefix);
    add(OSSL_KDF_PARAM_LABEL, step.label);
    add(OSSL_KDF_PARAM_DATA, step.data_);
    params.push_back(OSSL_PARAM_construct_end());
    return params;
}

KdfContext context_on(OSSL_LIB_CTX* side) {
    const Kdf kdf(EVP_KDF_fetch(side, "TLS13-KDF", nullptr));
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf.get())), name_of(side));
    return KdfContext(EVP_KDF_CTX_new(kdf.get()));
}

std::string hex(const Data& bytes) {
    std::string text;
    for (const auto byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::string run(OSSL_LIB_CTX* side, Step step) {
    Trace trace;
    const auto context = context_on(side);
    const auto params = params_of(step);
    Data out(step.out_len);
    if (trace.note("derive", EVP_KDF_derive(context.get(), out.data(), out.size(), params.data())))
        trace.value("out", hex(out));
    return trace.text();
}

void expect_same(const Step& step, const char* what) {
    EXPECT_EQ(run(with_octavo(), step), run(without_octavo(), step)) << what;
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
    std::string answers[2];
    for (auto* side : {with_octavo(), without_octavo()}) {
        Trace trace;
        const auto context = context_on(side);
        Step early, late;
        early.label = data("early");
        late.key.reset();
        late.label.reset();
        Data out(48);
        trace.note("set", EVP_KDF_CTX_set_params(context.get(), params_of(early).data()));
        trace.note("derive", EVP_KDF_derive(context.get(), out.data(), out.size(), params_of(late).data()));
        trace.value("out", hex(out));
        trace.value("size", std::to_string(EVP_KDF_CTX_get_kdf_size(context.get())));
        EVP_KDF_CTX_reset(context.get());
        trace.note("after a reset", EVP_KDF_derive(context.get(), out.data(), out.size(), params_of(late).data()));
        answers[side == with_octavo()] = trace.text();
    }
    EXPECT_EQ(answers[0], answers[1]);
}

TEST(Tls13Kdf, TheNextDerivationHasWhatTheLastOneWasGiven) {
    std::string answers[2];
    for (auto* side : {with_octavo(), without_octavo()}) {
        Trace trace;
        const auto context = context_on(side);
        Step first, other;
        first.data_ = data(48, 7);
        other.mode.reset();
        other.digest.reset();
        other.key.reset();
        other.label = data("key");
        Data out(32);
        for (auto* step : {&first, &other}) {
            trace.note("derive", EVP_KDF_derive(context.get(), out.data(), out.size(), params_of(*step).data()));
            trace.value("out", hex(out));
        }
        trace.note("derive", EVP_KDF_derive(context.get(), out.data(), out.size(), nullptr));
        trace.value("out", hex(out));
        answers[side == with_octavo()] = trace.text();
    }
    EXPECT_EQ(answers[0], answers[1]);
}

}  // namespace
}  // namespace octavo::test
