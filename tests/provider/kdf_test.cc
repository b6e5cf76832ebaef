#include <array>

#include "kdf_session.hpp"
#include "support/own_work.hpp"
#include "wycheproof.hpp"

// HKDF and TLS1-PRF through the provider and through the default one: the same calls, the same answers.
namespace octavo::test {
namespace {

constexpr const char* kDigests[] = {"MD5",      "SHA1",       "SHA2-224",
                                    "SHA256",   "sha-384",    "SHA2-512",
                                    "SHA3-256", "SHA512-256", "2.16.840.1.101.3.4.2.1",
                                    "MD5-SHA1", "SHAKE128",   "none",
                                    ""};
constexpr std::array<std::size_t, 13> kLengths = {0, 1, 19, 20, 32, 48, 63, 64, 65, 128, 129, 255, 1000};

Params hkdf(int mode, const char* digest = "SHA2-256") {
    return Params()
        .number(OSSL_KDF_PARAM_MODE, mode)
        .text(OSSL_KDF_PARAM_DIGEST, digest)
        .octets(OSSL_KDF_PARAM_KEY, data(32, 1))
        .octets(OSSL_KDF_PARAM_SALT, data(32, 2))
        .octets(OSSL_KDF_PARAM_INFO, data(20, 3));
}

Params prf(const char* digest = "SHA2-256") {
    return Params()
        .text(OSSL_KDF_PARAM_DIGEST, digest)
        .octets(OSSL_KDF_PARAM_SECRET, data(48, 1))
        .octets(OSSL_KDF_PARAM_SEED, data("master secret"))
        .octets(OSSL_KDF_PARAM_SEED, data(32, 2))
        .octets(OSSL_KDF_PARAM_SEED, data(32, 3));
}

void same(const char* kdf, const std::string& what, const std::function<void(KdfSession&)>& calls) {
    expect_same<KdfSession>(kdf, what, calls);
}
void same_pkey(const char* kdf, const std::string& what, const std::function<void(PkeyKdfSession&)>& calls) {
    expect_same<PkeyKdfSession>(kdf, what, calls);
}

constexpr int kModes[] = {EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
                          EVP_KDF_HKDF_MODE_EXPAND_ONLY};

TEST(Hkdf, EveryLengthAndDigest) {
    for (const int mode : kModes)
        for (const auto* digest : kDigests)
            for (const auto len : kLengths)
                same("HKDF", digest + (" " + std::to_string(len)), [&](KdfSession& s) {
                    const auto with = [&](std::size_t key, std::size_t salt, std::size_t info) {
                        return Params()
                            .text(OSSL_KDF_PARAM_DIGEST, digest)
                            .number(OSSL_KDF_PARAM_MODE, mode)
                            .octets(OSSL_KDF_PARAM_KEY, data(key, 1))
                            .octets(OSSL_KDF_PARAM_SALT, data(salt, 2))
                            .octets(OSSL_KDF_PARAM_INFO, data(info, 3));
                    };
                    s.derive(len, with(32, 20, 10));
                    s.derive(32, with(len, 20, 10));
                    s.derive(32, with(32, len, 10));
                    s.reset();  // no info after some is more than OpenSSL 3.0.22 stands
                    s.derive(32, with(32, 20, len));
                    s.size();
                });
}

/// Each derivation by itself begins hash functions of Octavo's HMAC, and none on the default side.
template <class Session>
void expect_own(const char* kdf, const std::string& what, const std::function<void(Session&)>& derivation) {
    SCOPED_TRACE(what);
    Session ours(with_octavo(), kdf), theirs(without_octavo(), kdf);
    EXPECT_GT(own_work::hashes_in([&] { derivation(ours); }), 0) << "the work was OpenSSL's";
    EXPECT_EQ(own_work::hashes_in([&] { derivation(theirs); }), 0) << "the count counts OpenSSL's work";
}

constexpr const char* kOwnDigests[] = {"MD5", "SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512", "SHA3-256"};

TEST(KdfWork, IsOctavos) {
    for (const auto* digest : kOwnDigests) {
        for (const int mode : kModes) {
            const auto len = static_cast<std::size_t>(EVP_MD_get_size(EVP_get_digestbyname(digest)));
            expect_own<KdfSession>("HKDF", digest, [&](KdfSession& s) { s.derive(len, hkdf(mode, digest)); });
        }
        expect_own<KdfSession>("TLS1-PRF", digest, [&](KdfSession& s) { s.derive(48, prf(digest)); });
    }
    expect_own<KdfSession>("TLS1-PRF", "MD5-SHA1", [](KdfSession& s) { s.derive(48, prf("MD5-SHA1")); });
}

/// The first versions of OpenSSL 3 take no more than 2048 bytes of info; what takes more takes up to 32 KiB.
TEST(KdfWork, OfALongInfoIsOctavos) {
    const auto with = [](std::size_t len) {
        return Params()
            .number(OSSL_KDF_PARAM_MODE, EVP_KDF_HKDF_MODE_EXPAND_ONLY)
            .text(OSSL_KDF_PARAM_DIGEST, "SHA256")
            .octets(OSSL_KDF_PARAM_KEY, data(32, 1))
            .octets(OSSL_KDF_PARAM_INFO, data(len, 3));
    };
    KdfSession probe(without_octavo(), "HKDF");
    probe.derive(32, with(2049));
    if (probe.text().find("derive = 1") == std::string::npos) GTEST_SKIP() << "this OpenSSL takes no longer info";
    for (const std::size_t len : {2049, 32768})
        expect_own<KdfSession>("HKDF", std::to_string(len), [&](KdfSession& s) { s.derive(32, with(len)); });
}

TEST(KdfWork, ByPkeyIsOctavos) {
    expect_own<PkeyKdfSession>("HKDF", "HKDF", [](PkeyKdfSession& s) {
        s.init();
        s.say("md", "SHA256");
        s.say("key", "a key");
        s.derive(32);
    });
    expect_own<PkeyKdfSession>("TLS1-PRF", "TLS1-PRF", [](PkeyKdfSession& s) {
        s.init();
        s.say("md", "SHA256");
        s.say("secret", "a secret");
        s.say("seed", "a seed");
        s.derive(32);
    });
}

TEST(Hkdf, TheBoundsOfLengths) {
    for (const int mode : kModes)
        for (const std::size_t len : {1023, 1024, 1025, 2047, 2048, 2049, 32768, 32769, 40000})
            same("HKDF", std::to_string(len), [&](KdfSession& s) {
                s.derive(42, hkdf(mode).octets(OSSL_KDF_PARAM_INFO, data(len, 4)));
                s.set(hkdf(mode));
                s.derive(32, Params().octets(OSSL_KDF_PARAM_KEY, data(len, 4)));
                s.derive(32, Params().octets(OSSL_KDF_PARAM_SALT, data(len, 4)));
                for (const auto out : {len, 255 * 32UL, 255 * 32UL + 1}) s.derive(out, Params());
            });
}

TEST(Hkdf, TheModeByNumberAndByName) {
    for (const int mode : {-2, -1, 0, 1, 2, 3, 100})
        same("HKDF", std::to_string(mode), [&](KdfSession& s) {
            s.derive(32, hkdf(mode));
            s.derive(32);
        });
    for (const auto* mode : {"EXTRACT_AND_EXPAND", "extract_only", "EXPAND_ONLY", "EXPAND", ""})
        same("HKDF", mode, [&](KdfSession& s) {
            s.derive(32, hkdf(0));
            s.derive(32, Params().text(OSSL_KDF_PARAM_MODE, mode));
            s.derive(20);
        });
}

TEST(Hkdf, WhatIsMissing) {
    for (const std::string left_out :
         {OSSL_KDF_PARAM_MODE, OSSL_KDF_PARAM_DIGEST, OSSL_KDF_PARAM_KEY, OSSL_KDF_PARAM_SALT, OSSL_KDF_PARAM_INFO})
        same("HKDF", left_out, [&](KdfSession& s) {
            Params some;
            if (left_out != OSSL_KDF_PARAM_MODE) some.number(OSSL_KDF_PARAM_MODE, 1);
            if (left_out != OSSL_KDF_PARAM_DIGEST) some.text(OSSL_KDF_PARAM_DIGEST, "SHA384");
            if (left_out != OSSL_KDF_PARAM_KEY) some.octets(OSSL_KDF_PARAM_KEY, data(10, 1));
            if (left_out != OSSL_KDF_PARAM_SALT) some.octets(OSSL_KDF_PARAM_SALT, data(10, 2));
            if (left_out != OSSL_KDF_PARAM_INFO) some.octets(OSSL_KDF_PARAM_INFO, data(10, 3));
            s.size();
            s.derive(48, some);
            s.size();
            s.derive(48);
        });
}

/// Each by itself, for what they leave behind is not always sound (OpenSSL 3.0.22 follows a null pointer after an empty info).
TEST(Hkdf, ParametersOfOddKinds) {
    const auto odd = [](const char* what, Params params) {
        for (const int mode : kModes)
            same("HKDF", what, [&](KdfSession& s) {
                s.set(Params().number(OSSL_KDF_PARAM_MODE, mode).text(OSSL_KDF_PARAM_DIGEST, "SHA2-256"));
                s.set(Params().octets(OSSL_KDF_PARAM_KEY, data(32, 1)).octets(OSSL_KDF_PARAM_SALT, data(32, 2)));
                s.derive(32, params);
            });
    };
    for (const auto* name : {OSSL_KDF_PARAM_KEY, OSSL_KDF_PARAM_SALT, OSSL_KDF_PARAM_INFO, "nothing"}) {
        odd(name, Params().nowhere(name, 0));
        odd(name, Params().nowhere(name, 7));
        odd(name, Params().text(name, "a text"));
        odd(name, Params().octets(name, data(9, 5)).octets(name, data(3, 6)));
        odd(name, Params().octets(name, {}));
        odd(name, Params().octets(name, {}).octets(name, data(3, 6)).octets(name, {}));
    }
    odd("digest", Params().octets(OSSL_KDF_PARAM_DIGEST, data("SHA1")));
    odd("digest", Params().text(OSSL_KDF_PARAM_DIGEST, "SHA1").text(OSSL_KDF_PARAM_DIGEST, "SHA256"));
    odd("mode", Params().number(OSSL_KDF_PARAM_MODE, 1).number(OSSL_KDF_PARAM_MODE, 0));
    odd("mode", Params().octets(OSSL_KDF_PARAM_MODE, data(4, 1)));
}

TEST(Hkdf, PropertiesOfTheDigest) {
    for (const auto* properties : {"", "provider=default", "provider=none", "?fips=yes"})
        same("HKDF", properties, [&](KdfSession& s) {
            s.derive(32, hkdf(0).text(OSSL_KDF_PARAM_PROPERTIES, properties));
            s.derive(32);
        });
}

TEST(Hkdf, OneContextForManyDerivations) {
    same("HKDF", "many", [](KdfSession& s) {
        s.derive(32);
        s.set(Params());
        s.set(Params().octets(OSSL_KDF_PARAM_INFO, data("first")));
        s.set(hkdf(0));
        for (const std::size_t len : {1, 200, 300}) s.set(Params().octets(OSSL_KDF_PARAM_KEY, data(len, 7)));
        s.derive(33);
        s.duplicate();
        s.derive(34, Params().octets(OSSL_KDF_PARAM_INFO, data("second")));
        s.derive(35, Params().octets(OSSL_KDF_PARAM_SALT, data(3, 1)));
        s.derive(36, Params().number(OSSL_KDF_PARAM_MODE, 7).octets(OSSL_KDF_PARAM_KEY, data(1, 1)));
        s.derive(36);
        s.duplicate();
        s.derive(36, Params().number(OSSL_KDF_PARAM_MODE, 2));
        s.reset();
        s.derive(36);
        s.derive(37, hkdf(2));
    });
}

TEST(Tls1Prf, EveryLengthAndDigest) {
    for (const auto* digest : kDigests)
        for (const auto len : kLengths)
            same("TLS1-PRF", digest + (" " + std::to_string(len)), [&](KdfSession& s) {
                const auto with = [&](std::size_t secret, std::size_t seed) {
                    return Params()
                        .text(OSSL_KDF_PARAM_DIGEST, digest)
                        .octets(OSSL_KDF_PARAM_SECRET, data(secret, 1))
                        .octets(OSSL_KDF_PARAM_SEED, data(seed, 2));
                };
                s.derive(len, with(48, 77));
                s.reset();
                s.derive(48, with(len, 77));
                s.reset();
                s.derive(48, with(48, len));
                s.size();
            });
}

TEST(Tls1Prf, TheBoundsOfLengths) {
    for (const std::size_t len : {946, 947, 948, 1024, 1025, 2048, 40000})
        same("TLS1-PRF", std::to_string(len), [&](KdfSession& s) {
            s.derive(len, prf());
            s.derive(48, Params().octets(OSSL_KDF_PARAM_SECRET, data(len, 4)));
            s.derive(48, Params().octets(OSSL_KDF_PARAM_SEED, data(len, 4)));
            s.derive(48, Params().octets(OSSL_KDF_PARAM_SEED, data(1, 4)));
            s.derive(48);
        });
}

TEST(Tls1Prf, WhatIsMissing) {
    for (const std::string left_out : {OSSL_KDF_PARAM_DIGEST, OSSL_KDF_PARAM_SECRET, OSSL_KDF_PARAM_SEED})
        same("TLS1-PRF", left_out, [&](KdfSession& s) {
            Params some;
            if (left_out != OSSL_KDF_PARAM_DIGEST) some.text(OSSL_KDF_PARAM_DIGEST, "MD5-SHA1");
            if (left_out != OSSL_KDF_PARAM_SECRET) some.octets(OSSL_KDF_PARAM_SECRET, data(10, 1));
            if (left_out != OSSL_KDF_PARAM_SEED) some.octets(OSSL_KDF_PARAM_SEED, data(10, 2));
            s.derive(48, some);
            s.derive(48);
            s.derive(0);
        });
}

TEST(Tls1Prf, ParametersOfOddKinds) {
    for (const auto* name : {OSSL_KDF_PARAM_SECRET, OSSL_KDF_PARAM_SEED, OSSL_KDF_PARAM_MODE, OSSL_KDF_PARAM_MAC})
        same("TLS1-PRF", name, [&](KdfSession& s) {
            s.set(prf());
            for (const std::size_t len : {0, 7}) {
                s.derive(32, Params().nowhere(name, len));
                s.derive(32, Params().octets(name, data(9, 5)).octets(name, data(3, 6)));
                s.derive(32, Params().octets(name, {}).octets(name, data(3, 6)).octets(name, {}));
                s.derive(32, Params().text(OSSL_KDF_PARAM_DIGEST, "SHA1").text(OSSL_KDF_PARAM_DIGEST, "SHA256"));
                s.reset();
                s.set(prf());
                s.derive(32, Params().text(name, "HMAC"));
                s.derive(32, Params().text(OSSL_KDF_PARAM_PROPERTIES, "provider=none"));
                s.derive(32, Params().octets(name, {}));
                s.reset();
                s.set(prf());
            }
        });
}

TEST(Tls1Prf, SeedsAddUpUntilTheReset) {
    same("TLS1-PRF", "many", [](KdfSession& s) {
        s.derive(48);
        s.set(Params());
        s.set(Params().octets(OSSL_KDF_PARAM_SEED, data("key expansion")));
        s.set(Params().text(OSSL_KDF_PARAM_DIGEST, "MD5-SHA1"));
        s.derive(48, Params().octets(OSSL_KDF_PARAM_SECRET, data(47, 1)));
        s.derive(48, Params().octets(OSSL_KDF_PARAM_SEED, data(200, 1)));
        s.duplicate();
        s.derive(104, Params().text(OSSL_KDF_PARAM_DIGEST, "SHA384"));
        s.set(Params().octets(OSSL_KDF_PARAM_SECRET, data(48, 2)));
        s.derive(1);
        s.reset();
        s.derive(48);
        s.derive(48, prf());
    });
}

/// The vectors that TLS's working group agreed on for the PRF of TLS 1.2 (its mailing list, 2009): the first bytes of each.
TEST(Tls1Prf, KnownAnswers) {
    struct Vector {
        const char *digest, *secret, *seed, *out;
    };
    constexpr Vector kVectors[] = {
        {"SHA256", "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
         "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"},
        {"SHA384", "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
         "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd"},
        {"SHA512", "b0323523c1853599584d88568bbb05eb", "d4640e12e4bcdbfb437f03e6ae418ee5",
         "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283"},
    };
    for (const auto& vector : kVectors) {
        const Kdf kdf(EVP_KDF_fetch(with_octavo(), "TLS1-PRF", nullptr));
        const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
        const auto expected = unhex(vector.out);
        Data out(expected.size());
        EXPECT_EQ(EVP_KDF_derive(context.get(), out.data(), out.size(),
                                 Params()
                                     .text(OSSL_KDF_PARAM_DIGEST, vector.digest)
                                     .octets(OSSL_KDF_PARAM_SECRET, unhex(vector.secret))
                                     .octets(OSSL_KDF_PARAM_SEED, data("test label"))
                                     .octets(OSSL_KDF_PARAM_SEED, unhex(vector.seed))
                                     .get()),
                  1);
        EXPECT_EQ(out, expected) << vector.digest;
    }
}

TEST(KdfByPkey, Hkdf) {
    for (const auto* mode : {"EXTRACT_AND_EXPAND", "EXTRACT_ONLY", "EXPAND_ONLY", "NONE"})
        for (const auto* digest : {"SHA256", "SHA384", "SHA3-256", "none"})
            same_pkey("HKDF", mode, [&](PkeyKdfSession& s) {
                s.derive(32);
                s.init();
                s.size();
                s.derive(32);
                s.say("md", digest);
                s.say("mode", mode);
                s.say("hexkey", "0b0b0b0b0b");
                s.size();
                s.derive(32);
                s.say("salt", "salt");
                s.say("info", "one");
                s.derive(31);
                s.say("info", "two");
                for (const std::size_t len : {0, 1, 32, 48, 64, 9000}) s.derive(len);
                s.size();
                s.duplicate();
                s.derive(32);
                s.say("nothing", "at all");
                s.init();
                s.derive(32);
            });
}

TEST(KdfByPkey, HkdfByItsOwnFunctions) {
    same_pkey("HKDF", "functions", [](PkeyKdfSession& s) {
        const auto bytes = data(80, 1);
        s.init();
        EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_mode(s.get(), EVP_KDF_HKDF_MODE_EXTRACT_ONLY), 1);
        EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_md(s.get(), EVP_sha256()), 1);
        EXPECT_EQ(EVP_PKEY_CTX_set1_hkdf_key(s.get(), bytes.data(), 80), 1);
        EXPECT_EQ(EVP_PKEY_CTX_set1_hkdf_salt(s.get(), bytes.data(), 13), 1);
        s.derive(32);
        EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_mode(s.get(), EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND), 1);
        for (const int len : {10, 20, 0}) {
            EXPECT_EQ(EVP_PKEY_CTX_add1_hkdf_info(s.get(), bytes.data(), len), 1);
            s.derive(100);
        }
    });
}

TEST(KdfByPkey, Tls1Prf) {
    for (const auto* digest : {"MD5-SHA1", "SHA256", "SHA3-256", "none"})
        same_pkey("TLS1-PRF", digest, [&](PkeyKdfSession& s) {
            s.derive(48);
            s.init();
            s.size();
            s.derive(48);
            s.say("md", digest);
            s.say("secret", "a secret");
            s.derive(48);
            s.say("seed", "one");
            s.derive(48);
            s.say("hexseed", "0102");
            for (const std::size_t len : {0, 1, 48, 104, 9000}) s.derive(len);
            s.duplicate();
            s.derive(48);
            s.say("salt", "none here");
            s.init();
            s.derive(48);
        });
}

TEST(KdfByPkey, TheProviderDoesIt) {
    for (const auto* kdf : {"HKDF", "TLS1-PRF"}) {
        const PkeyKdfSession session(with_octavo(), kdf);
        EXPECT_EQ(EVP_PKEY_derive_init(session.get()), 1);
        const auto* provider = EVP_PKEY_CTX_get0_provider(session.get());
        ASSERT_NE(provider, nullptr);
        EXPECT_STREQ(OSSL_PROVIDER_get0_name(provider), "octavo");
    }
}

}  // namespace
}  // namespace octavo::test
