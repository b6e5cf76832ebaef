#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "support.hpp"
#include "support/own_work.hpp"

// HKDF and TLS1-PRF by EVP_PKEY_derive(), with the engine and without.
namespace octavo::test {
namespace {

constexpr const char* kDigests[] = {"MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SM3"};

/// A context of OpenSSL's provider, or of the engine's method.
class Derivation {
public:
    Derivation(Trace& trace, int nid, ENGINE* engine) : trace_(trace), context_(EVP_PKEY_CTX_new_id(nid, engine)) {
        trace_.note("init", EVP_PKEY_derive_init(get()));
    }
    EVP_PKEY_CTX* get() const { return context_.get(); }
    void say(const char* name, const std::string& value) {
        trace_.note(name, EVP_PKEY_CTX_ctrl_str(get(), name, value.c_str()));
    }
    void derive(std::size_t len) {
        Data out(len + 1);
        if (!trace_.note("derive", EVP_PKEY_derive(get(), out.data(), &len))) return;
        trace_.value("length", std::to_string(len));
        trace_.value("out", std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(len)));
    }
    void size() {
        std::size_t len = 0;
        trace_.note("size", EVP_PKEY_derive(get(), nullptr, &len));
        trace_.value("size", std::to_string(len));
    }

private:
    Trace& trace_;
    PkeyContext context_;
};

TEST(EngineKdf, TheEngineHasIt) {
    for (const int nid : {NID_hkdf, NID_tls1_prf}) {
        EXPECT_NE(ENGINE_get_pkey_meth(engine(), nid), nullptr);
        const PkeyContext context(EVP_PKEY_CTX_new_id(nid, engine()));
        ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
        EXPECT_EQ(EVP_PKEY_CTX_get0_provider(context.get()), nullptr) << "that would be the provider's";
    }
}

enum class By { octavo, openssl };

void expect_by(By by, Derivation& derivation, std::size_t len, const std::string& what) {
    SCOPED_TRACE(what);
    const int calls = own_work::kdf_calls;
    EXPECT_EQ(own_work::hashes_in([&] { derivation.derive(len); }) > 0, by == By::octavo);
    EXPECT_EQ(own_work::kdf_calls - calls, by == By::octavo ? 0 : 1);
}

TEST(EngineKdf, TheWorkIsTheEngines) {
    Trace trace;
    for (const auto* digest : kDigests) {
        for (const auto* mode : {"EXTRACT_AND_EXPAND", "EXTRACT_ONLY", "EXPAND_ONLY"}) {
            Derivation d(trace, EVP_PKEY_HKDF, engine());
            d.say("md", digest);
            d.say("mode", mode);
            d.say("key", "a key");
            expect_by(By::octavo, d, 64, digest);
        }
    }
    for (const std::string digest : {"MD5-SHA1", "SHA256", "SHA3-256"}) {
        Derivation d(trace, EVP_PKEY_TLS1_PRF, engine());
        d.say("md", digest);
        d.say("secret", "a secret");
        expect_by(By::openssl, d, 48, "without a seed");
        d.say("seed", "a seed");
        expect_by(By::octavo, d, 48, digest);
    }
}

TEST(EngineKdf, HkdfDerivesWhatOpenSslDerives) {
    for (const auto* digest : kDigests)
        for (const auto* mode : {"EXTRACT_AND_EXPAND", "EXTRACT_ONLY", "EXPAND_ONLY"})
            compare(digest, [&](Trace& trace, ENGINE* side) {
                Derivation d(trace, EVP_PKEY_HKDF, side);
                d.say("md", digest);
                d.say("mode", mode);
                d.say("hexkey", "0b0b0b0b0b0b");
                d.size();
                d.derive(64);
                d.say("salt", "salt");
                d.say("info", "one");
                for (const std::size_t len : {64, 100, 4000}) d.derive(len);
                d.say("salt", "");
                d.say("key", std::string(300, 'k'));
                d.derive(64);
                EXPECT_EQ(EVP_PKEY_derive_init(d.get()), 1);
                d.derive(64);
            });
}

TEST(EngineKdf, HkdfByItsFunctions) {
    const auto bytes = data(1500, 1);
    compare("functions", [&](Trace& trace, ENGINE* side) {
        Derivation d(trace, EVP_PKEY_HKDF, side);
        trace.note("mode", EVP_PKEY_CTX_set_hkdf_mode(d.get(), EVP_PKEY_HKDEF_MODE_EXPAND_ONLY));
        trace.note("md", EVP_PKEY_CTX_set_hkdf_md(d.get(), EVP_sha384()));
        trace.note("key", EVP_PKEY_CTX_set1_hkdf_key(d.get(), bytes.data(), 1500));
        trace.note("salt", EVP_PKEY_CTX_set1_hkdf_salt(d.get(), bytes.data(), 1));
        trace.note("info", EVP_PKEY_CTX_add1_hkdf_info(d.get(), bytes.data(), 1500));
        d.derive(48);
        trace.note("more", EVP_PKEY_CTX_set_hkdf_mode(d.get(), EVP_PKEY_HKDEF_MODE_EXTRACT_AND_EXPAND));
        d.derive(255 * 48);
        d.derive(255 * 48 + 1);
    });
}

TEST(EngineKdf, TlsPrfDerivesWhatOpenSslDerives) {
    for (const std::string digest : {"MD5-SHA1", "SHA256", "SHA384", "SHA3-256", "SM3"})
        compare(digest, [&](Trace& trace, ENGINE* side) {
            Derivation d(trace, EVP_PKEY_TLS1_PRF, side);
            d.size();
            d.say("md", digest);
            d.say("secret", "a secret of some bytes");
            d.say("seed", "master secret");
            d.say("hexseed", "000102030405060708090a0b0c0d0e0f");
            for (const std::size_t len : {1, 48, 104, 4000}) d.derive(len);
            d.say("seed", std::string(300, 's'));
            d.derive(48);
        });
}

TEST(EngineKdf, WhatIsMissingIsNamed) {
    compare("HKDF", [](Trace& trace, ENGINE* side) {
        Derivation d(trace, EVP_PKEY_HKDF, side);
        d.derive(32);
        d.say("md", "SHA256");
        d.derive(32);
    });
    compare("TLS1-PRF", [](Trace& trace, ENGINE* side) {
        Derivation d(trace, EVP_PKEY_TLS1_PRF, side);
        d.derive(32);
        d.say("md", "SHA256");
        d.derive(32);
        d.say("secret", "secret");
        d.derive(32);
        d.say("seed", "seed");
        d.derive(0);
    });
}

/// OpenSSL words these otherwise.
TEST(EngineKdf, BadInputIsRefused) {
    Trace trace;
    Derivation hkdf(trace, EVP_PKEY_HKDF, engine()), prf(trace, EVP_PKEY_TLS1_PRF, engine());
    ERR_clear_error();
    const auto text = [](const Derivation& d, const char* name, const char* value) {
        const int answer = EVP_PKEY_CTX_ctrl_str(d.get(), name, value);
        return std::to_string(answer) + " " + first_reason();
    };
    EXPECT_EQ(text(hkdf, "mode", "EXPAND"), "0 the number is out of its range");
    EXPECT_EQ(text(hkdf, "seed", "x").substr(0, 2), "-2");
    EXPECT_EQ(text(prf, "mode", "EXTRACT_ONLY").substr(0, 2), "-2");
    EXPECT_EQ(text(prf, "salt", "x").substr(0, 2), "-2");
    EXPECT_EQ(text(prf, "hexseed", "xyz").front(), '0');
    EXPECT_EQ(text(hkdf, "md", "none").front(), '0');
    EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_mode(hkdf.get(), 3), 0);
    EXPECT_EQ(first_reason(), "the number is out of its range");
    EXPECT_EQ(EVP_PKEY_CTX_set_tls1_prf_md(prf.get(), EVP_md_null()), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set1_tls1_prf_secret(prf.get(), Data(6).data(), 6), 1);
    std::size_t num_bytes = 4;
    EXPECT_NE(EVP_PKEY_derive(prf.get(), Data(num_bytes).data(), &num_bytes), 1) << "of a digest without output";
    ERR_clear_error();
    const Data seed(1025);
    EXPECT_EQ(EVP_PKEY_CTX_add1_tls1_prf_seed(prf.get(), seed.data(), 1024), 1);
    EXPECT_EQ(EVP_PKEY_CTX_add1_tls1_prf_seed(prf.get(), seed.data(), 1), 0);
    EXPECT_EQ(first_reason(), "the number is out of its range");
    EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_mode(hkdf.get(), EVP_PKEY_HKDEF_MODE_EXTRACT_ONLY), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_md(hkdf.get(), EVP_sha256()), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set1_hkdf_key(hkdf.get(), seed.data(), 32), 1);
    Data out(31);
    auto len = out.size();
    EXPECT_EQ(EVP_PKEY_derive(hkdf.get(), out.data(), &len), 0);
    EXPECT_EQ(first_reason(), "the number is out of its range");
}

TEST(EngineKdf, ANewSecretEndsTheOldSeed) {
    Trace trace;
    Derivation used(trace, EVP_PKEY_TLS1_PRF, engine()), fresh(trace, EVP_PKEY_TLS1_PRF, engine());
    used.say("md", "SHA256");
    used.say("secret", "old");
    used.say("seed", "old");
    fresh.say("md", "SHA256");
    Data out[2] = {Data(48), Data(48)};
    for (const auto* d : {&used, &fresh}) {
        EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(d->get(), "secret", "new"), 1);
        EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(d->get(), "seed", "new"), 1);
        std::size_t len = 48;
        EXPECT_EQ(EVP_PKEY_derive(d->get(), out[d == &used].data(), &len), 1);
    }
    EXPECT_EQ(out[0], out[1]);
}

TEST(EngineKdf, ACopyGoesOnByItself) {
    Trace trace;
    Derivation first(trace, EVP_PKEY_HKDF, engine());
    first.say("md", "SHA256");
    first.say("key", "key");
    first.say("info", "one");
    const PkeyContext copy(EVP_PKEY_CTX_dup(first.get()));
    ASSERT_NE(copy, nullptr);
    first.say("info", "two");
    Data out[2] = {Data(32), Data(32)};
    std::size_t len = 32;
    EXPECT_EQ(EVP_PKEY_derive(first.get(), out[0].data(), &len), 1);
    EXPECT_EQ(EVP_PKEY_derive(copy.get(), out[1].data(), &len), 1);
    EXPECT_NE(out[0], out[1]);
    EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(copy.get(), "info", "two"), 1);
    EXPECT_EQ(EVP_PKEY_derive(copy.get(), out[1].data(), &len), 1);
    EXPECT_EQ(out[0], out[1]);
}

TEST(EngineKdf, SwitchedOffItIsOpenSslS) {
    const auto derived = [](By by) {
        Trace trace;
        Derivation d(trace, EVP_PKEY_HKDF, engine());
        d.say("md", "SHA256");
        d.say("key", "key");
        expect_by(by, d, 32, "HKDF");
        return trace.text();
    };
    const auto with = derived(By::octavo);
    ASSERT_EQ(ENGINE_ctrl_cmd(engine(), "HW_ALGO_BITMAP", 0, const_cast<char*>("0x1"), nullptr, 0), 1);
    EXPECT_EQ(derived(By::openssl), with);
    ASSERT_EQ(ENGINE_ctrl_cmd(engine(), "HW_ALGO_BITMAP", 0, const_cast<char*>("0x7ffff"), nullptr, 0), 1);
}

}  // namespace
}  // namespace octavo::test
