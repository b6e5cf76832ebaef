#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <cstring>

#include "keys.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

struct Settings {
    const char* padding = nullptr;  // as OpenSSL's parameters say it; null: untouched
    const char* digest = nullptr;
    const char* mgf1 = nullptr;
    const char* salt_len = nullptr;
    std::size_t tbs_len = 0;  // 0: the digest's own length
};

std::string describe(const Settings& s) {
    const auto text = [](const char* t) { return std::string(t == nullptr ? "-" : t); };
    return text(s.padding) + "/" + text(s.digest) + "/" + text(s.mgf1) + "/" + text(s.salt_len) + "/" +
           std::to_string(s.tbs_len);
}

std::size_t tbs_len(const Settings& s) {
    if (s.tbs_len != 0) return s.tbs_len;
    auto* md = s.digest == nullptr ? nullptr : EVP_MD_fetch(without_octavo(), s.digest, nullptr);
    const auto len = md == nullptr ? 20 : EVP_MD_get_size(md);
    EVP_MD_free(md);
    ERR_clear_error();
    return static_cast<std::size_t>(len);
}

bool set(Trace& trace, EVP_PKEY_CTX* context, const char* name, const char* value) {
    if (value == nullptr) return true;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0),
                           OSSL_PARAM_construct_end()};
    return trace.note(std::string("set ") + name, EVP_PKEY_CTX_set_params(context, params));
}

bool set_all(Trace& trace, EVP_PKEY_CTX* context, const Settings& s) {
    return set(trace, context, OSSL_SIGNATURE_PARAM_PAD_MODE, s.padding) &&
           set(trace, context, OSSL_SIGNATURE_PARAM_DIGEST, s.digest) &&
           set(trace, context, OSSL_SIGNATURE_PARAM_MGF1_DIGEST, s.mgf1) &&
           set(trace, context, OSSL_SIGNATURE_PARAM_PSS_SALTLEN, s.salt_len);
}

void note_settings(Trace& trace, EVP_PKEY_CTX* context) {
    char padding[32] = "", digest[64] = "", mgf1[64] = "", salt[32] = "";
    unsigned char id[256];
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, padding, sizeof padding),
                           OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, digest, sizeof digest),
                           OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mgf1, sizeof mgf1),
                           OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, salt, sizeof salt),
                           OSSL_PARAM_construct_end()};
    trace.note("get settings", EVP_PKEY_CTX_get_params(context, params));
    trace.value("settings", std::string(padding) + " " + digest + " " + mgf1 + " " + salt);
    OSSL_PARAM ask[] = {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id, sizeof id),
                        OSSL_PARAM_construct_end()};
    if (trace.note("get algorithm id", EVP_PKEY_CTX_get_params(context, ask)))
        trace.value("algorithm id", std::string(reinterpret_cast<char*>(id), ask[0].return_size));
}

/// Signs on one side, with every question on the way that an application asks.
Data sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pkey, const Settings& s, const Data& tbs) {
    const auto context = context_for(side, pkey);
    if (!trace.note("sign_init", EVP_PKEY_sign_init(context.get())) || !set_all(trace, context.get(), s)) return {};
    note_settings(trace, context.get());
    std::size_t len = 0;
    if (!trace.note("size", EVP_PKEY_sign(context.get(), nullptr, &len, tbs.data(), tbs.size()))) return {};
    trace.value("size", std::to_string(len));
    Data signature(len, 0xaa);
    auto short_len = len - 1;
    trace.note("sign, short buffer",
               EVP_PKEY_sign(context.get(), signature.data(), &short_len, tbs.data(), tbs.size()));
    if (!trace.note("sign", EVP_PKEY_sign(context.get(), signature.data(), &len, tbs.data(), tbs.size()))) return {};
    signature.resize(len);
    return signature;
}

void verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pkey, const Settings& s, const Data& tbs,
            const Data& signature) {
    const auto context = context_for(side, pkey);
    trace.note("verify_init", EVP_PKEY_verify_init(context.get()));
    if (!set_all(trace, context.get(), s)) return;
    const auto check = [&](const char* what, const Data& sig, const Data& of) {
        trace.note(what, EVP_PKEY_verify(context.get(), sig.data(), sig.size(), of.data(), of.size()));
    };
    // A public key is registered on its second use: the third is certainly on the fast path.
    for (int i = 0; i < 3; ++i) check("verify", signature, tbs);
    auto wrong = signature;
    wrong[wrong.size() / 2] ^= 1;
    check("tampered signature", wrong, tbs);
    auto other = tbs;
    other[0] ^= 0x80;
    check("other digest", signature, other);
    check("short signature", Data(signature.begin() + 1, signature.end()), tbs);
    auto longer = signature;
    longer.insert(longer.begin(), 0);
    check("long signature", longer, tbs);
    check("signature not below the modulus", Data(signature.size(), 0xff), tbs);
    check("short digest", signature, Data(tbs.begin(), tbs.end() - 1));
    check("all zero", Data(signature.size(), 0), tbs);
}

void recover(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pkey, const Settings& s, const Data& signature) {
    const auto context = context_for(side, pkey);
    trace.note("verify_recover_init", EVP_PKEY_verify_recover_init(context.get()));
    if (!set_all(trace, context.get(), s)) return;
    std::size_t len = 0;
    trace.note("recover size",
               EVP_PKEY_verify_recover(context.get(), nullptr, &len, signature.data(), signature.size()));
    trace.value("recover size", std::to_string(len));
    for (int i = 0; i < 3; ++i) {
        Data out(4096, 0);
        len = out.size();
        if (trace.note("recover",
                       EVP_PKEY_verify_recover(context.get(), out.data(), &len, signature.data(), signature.size())))
            trace.value("recovered", std::string(out.begin(), out.begin() + static_cast<long>(len)));
        auto wrong = signature;
        wrong.back() ^= 1;
        len = out.size();
        trace.note("recover tampered",
                   EVP_PKEY_verify_recover(context.get(), out.data(), &len, wrong.data(), wrong.size()));
    }
}

bool is_deterministic(EVP_PKEY* pkey, const Settings& s) {
    return EVP_PKEY_is_a(pkey, "RSA") == 1 && (s.padding == nullptr || std::strcmp(s.padding, "pss") != 0);
}

void compare(Shape shape, const Settings& s) {
    SCOPED_TRACE(std::string(name_of(shape)) + " " + describe(s));
    const auto tbs = data(tbs_len(s), 7);
    OSSL_LIB_CTX* const sides[] = {with_octavo(), without_octavo()};
    Pkey keys[] = {key(shape, sides[0]), key(shape, sides[1])};
    Trace signing[2];
    Data signatures[2];
    for (int i = 0; i < 2; ++i) signatures[i] = sign(signing[i], sides[i], keys[i].get(), s, tbs);
    ASSERT_EQ(signing[0].text(), signing[1].text());
    if (signatures[0].empty()) return;
    if (is_deterministic(keys[0].get(), s)) {
        ASSERT_EQ(signatures[0], signatures[1]);
    }
    for (const auto& signature : signatures) {
        Trace verifying[2];
        for (int i = 0; i < 2; ++i) {
            verify(verifying[i], sides[i], keys[i].get(), s, tbs, signature);
            recover(verifying[i], sides[i], keys[i].get(), s, signature);
        }
        ASSERT_EQ(verifying[0].text(), verifying[1].text());
        // Agreement in failure would prove nothing. (A restricted RSA-PSS key verifies with the salt length it was told alone.)
        if (verifying[0].text().find("saltlen = 0") != std::string::npos) continue;
        ASSERT_NE(verifying[0].text().find("\nverify = 1, no error"), std::string::npos) << verifying[0].text();
    }
}

class Signing : public testing::TestWithParam<Shape> {};

const char* const kDigests[] = {"SHA1",     "SHA224",   "SHA256",   "SHA384",   "SHA512", "SHA512-224", "SHA512-256",
                                "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512", "MD5",    "MD5-SHA1",   "RIPEMD160"};

TEST_P(Signing, Pkcs1WithEveryDigest) {
    for (const auto* digest : kDigests) compare(GetParam(), {.padding = "pkcs1", .digest = digest});
    compare(GetParam(), {.digest = "sha-256"});
    compare(GetParam(), {.digest = "2.16.840.1.101.3.4.2.1"});
}

TEST_P(Signing, Pkcs1WithoutADigest) {
    for (const std::size_t len : {1UL, 20UL, 32UL, 36UL, 100UL, 117UL, 118UL, 245UL, 246UL, 256UL, 500UL})
        compare(GetParam(), {.padding = "pkcs1", .tbs_len = len});
}

TEST_P(Signing, PssWithEveryDigest) {
    for (const auto* digest : kDigests)
        for (const auto* salt_len : {"digest", "auto"})
            compare(GetParam(), {.padding = "pss", .digest = digest, .salt_len = salt_len});
}

TEST_P(Signing, PssWithEverySaltLength) {
    for (const auto* salt_len :
         {"digest", "max", "auto", "auto-digestmax", "0", "1", "20", "32", "33", "94", "222", "223", "-7", "nonsense"})
        compare(GetParam(), {.padding = "pss", .digest = "SHA256", .salt_len = salt_len});
}

TEST_P(Signing, PssWithAnotherMgf1Digest) {
    compare(GetParam(), {.padding = "pss", .digest = "SHA256", .mgf1 = "SHA1"});
    compare(GetParam(), {.padding = "pss", .digest = "SHA384", .mgf1 = "SHA512", .salt_len = "digest"});
    compare(GetParam(), {.padding = "pss", .digest = "SHA256", .mgf1 = "BLAKE2s256"});
    compare(GetParam(), {.padding = "pss"});
}

TEST_P(Signing, RawAndX931) {
    for (const std::size_t len : {64UL, 128UL, 255UL, 256UL, 257UL, 384UL, 512UL})
        compare(GetParam(), {.padding = "none", .tbs_len = len});
    for (const auto* digest : {"SHA1", "SHA256", "SHA512", "MD5"})
        compare(GetParam(), {.padding = "x931", .digest = digest});
    compare(GetParam(), {.padding = "x931"});
}

TEST_P(Signing, WrongSettings) {
    compare(GetParam(), {.padding = "oaep", .digest = "SHA256"});
    compare(GetParam(), {.padding = "none", .digest = "SHA256"});
    compare(GetParam(), {.padding = "none of these"});
    compare(GetParam(), {.digest = "BLAKE2b512"});
    compare(GetParam(), {.digest = "no such digest"});
    compare(GetParam(), {.padding = "pkcs1", .digest = "SHA256", .salt_len = "20"});
    compare(GetParam(), {.padding = "pkcs1", .digest = "SHA256", .mgf1 = "SHA1"});
    compare(GetParam(), {.padding = "pkcs1", .digest = "SHA256", .tbs_len = 31});
    compare(GetParam(), {.padding = "pss", .digest = "SHA256", .tbs_len = 33});
}

INSTANTIATE_TEST_SUITE_P(Keys, Signing, testing::ValuesIn(kAllShapes),
                         [](const auto& shape) { return name_of(shape.param); });

// A message, in one piece or in many.

struct Message {
    const char* digest;
    const char* padding;
};

Data digest_sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pkey, const Message& m, bool copied) {
    const MdContext context(EVP_MD_CTX_new()), copy(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    if (!trace.note("init", EVP_DigestSignInit_ex(context.get(), &settings, m.digest, side, nullptr, pkey, nullptr)))
        return {};
    if (!set(trace, settings, OSSL_SIGNATURE_PARAM_PAD_MODE, m.padding)) return {};
    trace.note("update", EVP_DigestSignUpdate(context.get(), "octavo", 6));
    // The digest may be named again, not changed, while it runs.
    set(trace, settings, OSSL_SIGNATURE_PARAM_DIGEST, "SHA512");
    set(trace, settings, OSSL_SIGNATURE_PARAM_DIGEST, m.digest);
    note_settings(trace, settings);
    std::size_t len = 0;
    trace.note("size", EVP_DigestSignFinal(context.get(), nullptr, &len));
    auto* from = context.get();
    if (copied && trace.note("copy", EVP_MD_CTX_copy_ex(copy.get(), context.get()))) from = copy.get();
    trace.note("update", EVP_DigestSignUpdate(from, "pus", 3));
    Data signature(len);
    if (!trace.note("final", EVP_DigestSignFinal(from, signature.data(), &len))) return {};
    return signature;
}

void digest_verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pkey, const Message& m, const Data& signature,
                   const char* text) {
    const MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    if (!trace.note("init", EVP_DigestVerifyInit_ex(context.get(), &settings, m.digest, side, nullptr, pkey, nullptr)))
        return;
    set(trace, settings, OSSL_SIGNATURE_PARAM_PAD_MODE, m.padding);
    trace.note("update", EVP_DigestVerifyUpdate(context.get(), text, std::strlen(text)));
    trace.note(std::string("final ") + text, EVP_DigestVerifyFinal(context.get(), signature.data(), signature.size()));
}

TEST_P(Signing, Messages) {
    OSSL_LIB_CTX* const sides[] = {with_octavo(), without_octavo()};
    for (const auto& m :
         {Message{"SHA256", "pkcs1"}, Message{"SHA384", "pss"}, Message{nullptr, nullptr}, Message{"SHA1", "x931"},
          Message{"MDC2", "pkcs1"}, Message{"SHA512", "none"}, Message{"BLAKE2s256", nullptr}}) {
        for (const bool copied : {false, true}) {
            SCOPED_TRACE(std::string(m.digest == nullptr ? "-" : m.digest) + (copied ? " copied" : ""));
            Trace signing[2], verifying[2];
            Data signatures[2];
            for (int i = 0; i < 2; ++i)
                signatures[i] = digest_sign(signing[i], sides[i], key(GetParam(), sides[i]).get(), m, copied);
            ASSERT_EQ(signing[0].text(), signing[1].text());
            for (const auto& signature : signatures) {
                if (signature.empty()) continue;
                for (int i = 0; i < 2; ++i)
                    for (const auto* text : {"octavopus", "octavopus", "octopus"})
                        digest_verify(verifying[i], sides[i], key(GetParam(), sides[i]).get(), m, signature, text);
                ASSERT_EQ(verifying[0].text(), verifying[1].text());
            }
        }
    }
}

TEST(SigningContext, WithoutAKeyOrWithAnotherKind) {
    const Pkey sm2(EVP_PKEY_Q_keygen(with_octavo(), nullptr, "SM2"));
    ASSERT_NE(sm2, nullptr);
    const auto context = context_for(with_octavo(), sm2.get());
    EXPECT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_CTX_get0_provider(context.get())), "default");
    const auto rsa = key(Shape::rsa2048, with_octavo());
    const auto ours = context_for(with_octavo(), rsa.get());
    EXPECT_EQ(EVP_PKEY_sign_init(ours.get()), 1);
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_CTX_get0_provider(ours.get())), "octavo");
}

TEST(SigningContext, CanBeDuplicatedAndOutlivesTheKey) {
    auto rsa = Pkey(EVP_PKEY_dup(key(Shape::rsa2048, with_octavo()).get()));
    auto context = context_for(with_octavo(), rsa.get());
    ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING), 1);
    const PkeyContext copy(EVP_PKEY_CTX_dup(context.get()));
    ASSERT_NE(copy, nullptr);
    context.reset();
    rsa.reset();
    const auto tbs = data(20, 1);
    Data signature(256);
    auto len = signature.size();
    ASSERT_EQ(EVP_PKEY_sign(copy.get(), signature.data(), &len, tbs.data(), tbs.size()), 1);
    const auto checker = context_for(without_octavo(), key(Shape::rsa2048, without_octavo()).get());
    ASSERT_EQ(EVP_PKEY_verify_init(checker.get()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(checker.get(), RSA_PKCS1_PSS_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_verify(checker.get(), signature.data(), len, tbs.data(), tbs.size()), 1);
}

bool octavo_takes(Shape shape) { return shape != Shape::wrong_crt; }

TEST_P(Signing, RunsOnOctavo) {
    const auto pkey = key(GetParam(), with_octavo());
    const bool pss_key = EVP_PKEY_is_a(pkey.get(), "RSA-PSS") == 1;
    for (const auto& s :
         {Settings{.padding = "pkcs1", .digest = "SHA256"}, Settings{.padding = "pss", .digest = "SHA256"},
          Settings{.padding = "pkcs1", .tbs_len = 20},
          Settings{.padding = "none", .tbs_len = static_cast<std::size_t>(EVP_PKEY_get_size(pkey.get()))}}) {
        if (pss_key && std::strcmp(s.padding, "pss") != 0) continue;
        SCOPED_TRACE(describe(s));
        auto tbs = data(tbs_len(s), 1);
        if (tbs.size() > 100) tbs[0] = 0;
        Trace trace;
        auto before = shim::operations();
        const auto signature = sign(trace, with_octavo(), pkey.get(), s, tbs);
        if (GetParam() == Shape::tiny_512 && signature.empty()) continue;
        EXPECT_EQ(shim::operations() - before, octavo_takes(GetParam()) && GetParam() != Shape::public_2048 ? 1 : 0);
        if (signature.empty()) continue;
        const auto context = context_for(with_octavo(), pkey.get());
        EVP_PKEY_verify_init(context.get());
        set_all(trace, context.get(), s);
        for (int i = 0; i < 2; ++i) {
            before = shim::operations();
            EXPECT_EQ(EVP_PKEY_verify(context.get(), signature.data(), signature.size(), tbs.data(), tbs.size()), 1);
        }
        EXPECT_EQ(shim::operations() - before, octavo_takes(GetParam()) ? 1 : 0);
    }
}

TEST(SigningFallback, WhenOctavoFailsTheDefaultProviderSigns) {
    const auto pkey = key(Shape::rsa2048, with_octavo());
    const auto tbs = data(32, 1);
    const Settings s{.padding = "pkcs1", .digest = "SHA256"};
    Trace trace;
    const auto right = sign(trace, with_octavo(), pkey.get(), s, tbs);
    for (const auto status :
         {OCTAVO_ERR_OPERATION_FAILED, OCTAVO_ERR_NO_MEMORY, OCTAVO_ERR_BAD_HANDLE, OCTAVO_CANCELLED}) {
        shim::failure = status;
        EXPECT_EQ(sign(trace, with_octavo(), pkey.get(), s, tbs), right);
        verify(trace, with_octavo(), pkey.get(), s, tbs, right);
        shim::failure = OCTAVO_OK;
    }
    EXPECT_NE(trace.text().find("verify = 1"), std::string::npos);
}

TEST(SigningFallback, NoneWhereTheSoftwareFallbackIsOff) {
    const auto pkey = key(Shape::rsa2048, with_octavo());
    const auto tbs = data(32, 1);
    const Settings s{.padding = "pkcs1", .digest = "SHA256"};
    Trace signing, verifying, after;
    const auto right = sign(after, with_octavo(), pkey.get(), s, tbs);
    shim::failure = OCTAVO_ERR_DEVICE;
    sign(signing, with_octavo(), pkey.get(), s, tbs);
    verify(verifying, with_octavo(), pkey.get(), s, tbs, right);
    shim::failure = OCTAVO_OK;
    EXPECT_NE(signing.text().find("there is no software fallback"), std::string::npos) << signing.text();
    EXPECT_NE(verifying.text().find("there is no software fallback"), std::string::npos) << verifying.text();
    EXPECT_EQ(verifying.text().find("verify = 1"), std::string::npos);
    EXPECT_EQ(sign(after, with_octavo(), pkey.get(), s, tbs), right);
}

}  // namespace
}  // namespace octavo::test
