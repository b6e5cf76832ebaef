// ChaCha20-Poly1305 beside the default provider's. Where Octavo does not offer it, these tests compare the default provider with itself, and say so.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>

#include "curve_keys.hpp"
#include "gcm_session.hpp"
#include "support/own_work.hpp"
#include "wycheproof.hpp"

namespace octavo::test {
namespace {

constexpr std::size_t kKeyLen = 32, kIvLen = 12;

Cipher fetch(OSSL_LIB_CTX* side) { return Cipher(EVP_CIPHER_fetch(side, "ChaCha20-Poly1305", nullptr)); }

GcmSession make(OSSL_LIB_CTX* side) {
    CipherContext context(EVP_CIPHER_CTX_new());
    EXPECT_EQ(EVP_CipherInit_ex2(context.get(), fetch(side).get(), nullptr, nullptr, 1, nullptr), 1);
    return {std::move(context), Exactness::all};
}

/// Gives back how many messages libipsec-mb had.
template <class What>
int expect_same(What&& what) {
    std::string texts[2];
    const int before = own_work::messages;
    for (auto* side : {with_octavo(), without_octavo()}) {
        auto session = make(side);
        what(session);
        texts[side == with_octavo() ? 0 : 1] = session.trace.text();
    }
    EXPECT_EQ(texts[0], texts[1]);
    return own_work::messages - before;
}

bool is_offered() {
    return std::string(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(fetch(with_octavo()).get()))) == "octavo";
}

TEST(ChaCha20Poly1305, is_offered_where_the_cpu_is_made_for_it) {
    if (!is_offered())
        GTEST_SKIP() << "Octavo does not offer ChaCha20-Poly1305 here: no AVX-512 with IFMA, or OCTAVO_DISABLE_CPU";
    const auto ours = fetch(with_octavo()), theirs = fetch(without_octavo());
    expect_same_offer(ours, theirs);
    EXPECT_EQ(EVP_CIPHER_get_iv_length(ours.get()), static_cast<int>(kIvLen));
}

TEST(ChaCha20Poly1305, messages_of_any_shape_are_the_default_providers) {
    std::mt19937 random(5);
    const int rounds = std::getenv("OCTAVO_LONG_TESTS") != nullptr ? 20000 : 300;
    for (int i = 0; i < rounds && !HasFailure(); ++i) {
        auto m = random_message(random, kKeyLen);
        m.iv = data(kIvLen, static_cast<unsigned>(random()));
        const bool copied = random() % 2 == 0;
        const auto forged = random() % 3;
        const auto tag_len = static_cast<int>(9 + random() % 8);  // none that is right by chance
        const int num_ours = expect_same([&](GcmSession& session) {
            if (copied) session.go_on_in_a_copy();
            ASSERT_TRUE(session.message(m, 1));
            auto back = m;
            back.text = session.text;
            back.tag = session.get_tag(tag_len);
            if (forged == 1) back.tag[0] ^= 1;
            if (forged == 2) back.aad.push_back(0);
            if (copied) session.go_on_in_a_copy();
            EXPECT_EQ(session.message(back, 0), forged == 0);
            if (forged == 0) {
                EXPECT_EQ(session.text, m.text);
            }
        });
        EXPECT_EQ(num_ours, is_offered() ? 2 : 0);
    }
}

TEST(ChaCha20Poly1305, a_message_goes_on_in_a_copy) {
    const auto key = data(kKeyLen, 1), iv = data(kIvLen, 2);
    expect_same([&](GcmSession& session) {
        session.init(&key, &iv, 1);
        session.pieces(data(13, 3), true, 0, false);
        session.go_on_in_a_copy();
        session.pieces(data(77, 4), false, 0, false);
        session.trace.value("text", hex(session.text));
        session.go_on_in_a_copy();
        session.pieces(data(99, 5), false, 0, false);
        session.trace.value("text", hex(session.text));
        session.final();
        session.trace.value("tag", hex(session.get_tag(16)));
    });
}

TEST(ChaCha20Poly1305, records_of_tls_are_the_default_providers) {
    const auto key = data(kKeyLen, 1), fixed = data(kIvLen, 2);
    for (const std::size_t len : {16, 17, 40, 88, 1048, 16400}) {
        Data sealed;
        for (const bool spoilt : {false, true})
            expect_same([&](GcmSession& session) {
                for (const int encrypts : {1, 0}) {
                    session.init(&key, nullptr, encrypts);
                    session.control("fixed", EVP_CTRL_AEAD_SET_IV_FIXED, 12, fixed);
                    sealed = encrypts != 0 ? data(len, 3) : sealed;
                    if (encrypts == 0 && spoilt) sealed[len - 1] ^= 1;
                    session.trace.value("length", std::to_string(session.record(sealed)));
                    session.trace.value("bytes", hex(sealed));
                }
            });
    }
}

TEST(ChaCha20Poly1305, refusals_are_the_default_providers) {
    const auto key = data(kKeyLen, 1), iv = data(kIvLen, 2), text = data(50, 3);
    expect_same([&](GcmSession& session) {
        session.init(&key, &iv, 1);
        for (const int len : {0, 8, 13, -1, 12}) session.control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, len, {});
        for (const int len : {0, 16, 17}) session.control("tag", EVP_CTRL_AEAD_SET_TAG, len, Data(17));
        for (const int len : {0, 12, 17}) session.control("tag length", EVP_CTRL_AEAD_SET_TAG, len, {});
        for (const int len : {0, 4, 13}) session.control("fixed", EVP_CTRL_AEAD_SET_IV_FIXED, len, Data(13));
        session.control("aad", EVP_CTRL_AEAD_TLS1_AAD, 12, Data(13));
        session.pieces(text, false, 0, false);
        session.final();
        for (const int len : {16, 12, 0, 17}) session.trace.value("tag", hex(session.get_tag(len)));
        session.pieces(text, false, 0, false);  // another message with the same IV
        session.trace.value("text", hex(session.text));
        session.init(nullptr, &iv, 0);
        session.get_tag(16);
        session.control("short record", EVP_CTRL_AEAD_TLS1_AAD, 13, Data(13));
        session.trace.value("tag length", std::to_string(EVP_CIPHER_CTX_get_tag_length(session.get())));
    });
}

TEST(ChaCha20Poly1305, what_makes_no_sense_is_refused) {
    if (!is_offered()) GTEST_SKIP() << "the default provider goes on with any of these";
    auto session = make(with_octavo());
    const auto key = data(kKeyLen, 1), iv = data(kIvLen, 2);
    auto record = data(60, 3);
    int len = 0;
    EXPECT_NE(EVP_CipherUpdate(session.get(), record.data(), &len, record.data(), 60), 1) << "no key";
    EXPECT_NE(EVP_CipherFinal_ex(session.get(), record.data(), &len), 1) << "no key";
    session.init(&key, &iv, 1);
    EXPECT_EQ(EVP_CipherUpdate(session.get(), record.data(), &len, record.data(), 60), 1);
    EXPECT_NE(EVP_CipherUpdate(session.get(), nullptr, &len, record.data(), 60), 1) << "additional data after text";
    Data aad(13);
    aad[12] = 44;
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(session.get(), EVP_CTRL_AEAD_TLS1_AAD, 13, aad.data()), 16);
    EXPECT_NE(EVP_CipherUpdate(session.get(), record.data(), &len, record.data(), 59), 1) << "another length";
}

bool check_vector(const Json& group, const Json& test) {
    const auto bytes = [&](const char* name) { return unhex(test.at(name)); };
    if (group.at("ivSize") != 8 * kIvLen) {
        auto session = make(with_octavo());
        const int len = group.at("ivSize").get<int>() / 8;
        EXPECT_NE(EVP_CIPHER_CTX_ctrl(session.get(), EVP_CTRL_AEAD_SET_IVLEN, len, nullptr), 1);
        return test.at("result") == "valid";
    }
    Message m{bytes("key"), bytes("iv"), bytes("aad"), bytes("msg"), bytes("tag")};
    auto seal = make(with_octavo()), open = make(with_octavo());
    auto sealed = m;
    sealed.text = bytes("ct");
    return seal.message(m, 1) && open.message(sealed, 0) && seal.text == sealed.text && seal.get_tag(16) == m.tag &&
           open.text == m.text;
}

TEST(ChaCha20Poly1305, vectors_of_a_third_party) {
    if (!has_vectors()) GTEST_SKIP() << no_vectors();
    run_aead_file("chacha20_poly1305_test.json", check_vector);
}

}  // namespace
}  // namespace octavo::test
