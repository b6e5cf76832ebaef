#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "curve_keys.hpp"
#include "gcm_session.hpp"
#include "support/own_work.hpp"
#include "wycheproof.hpp"

// AES-GCM beside the default provider's. Where Octavo does not offer it, these tests compare the default provider with itself, and say so.
namespace octavo::test {
namespace {

bool is_offered() {
    const auto cipher = fetch_gcm(with_octavo(), 16);
    return std::string(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher.get()))) == "octavo";
}

/// Runs `what` on both sides, each with a context that lives through it, and compares what it noted. Gives back how many messages libipsec-mb had.
template <class What>
int expect_same(std::size_t key_len, What&& what) {
    std::string texts[2];
    const int before = own_work::messages;
    for (auto* side : {with_octavo(), without_octavo()}) {
        GcmSession sequence(side, key_len);
        what(sequence);
        texts[side == with_octavo() ? 0 : 1] = sequence.trace.text();
    }
    EXPECT_EQ(texts[0], texts[1]);
    return own_work::messages - before;
}

int rounds(int few, int many) { return std::getenv("OCTAVO_LONG_TESTS") != nullptr ? many : few; }

class Gcm : public testing::TestWithParam<std::size_t> {};

TEST(GcmOffer, is_where_the_cpu_is_made_for_it) {
    EXPECT_EQ(is_offered(), cpu_has_wide_aes());
    if (!is_offered())
        GTEST_SKIP() << "Octavo does not offer AES-GCM here: no VAES with AVX-512, or OCTAVO_DISABLE_CPU";
    for (const auto key_len : kGcmKeyLengths) {
        const auto ours = fetch_gcm(with_octavo(), key_len), theirs = fetch_gcm(without_octavo(), key_len);
        expect_same_offer(ours, theirs);
        EXPECT_EQ(EVP_CIPHER_get_iv_length(ours.get()), 12);
        EXPECT_EQ(EVP_CIPHER_get_key_length(ours.get()), static_cast<int>(key_len));
        EXPECT_EQ(EVP_CIPHER_get_block_size(ours.get()), 1);
    }
}

/// How a message that is opened differs from the one that was sealed.
enum class Forgery { none, tag, aad, text };
constexpr int kNumForgeries = 4;

void forge(Message& m, Forgery forgery, std::size_t at) {
    if (forgery == Forgery::tag) m.tag[at % m.tag.size()] ^= 1;
    if (forgery == Forgery::aad) m.aad.push_back(1);
    if (forgery == Forgery::text) m.text.push_back(1);
}

TEST_P(Gcm, messages_of_any_shape_are_the_default_providers) {
    std::mt19937 random(7);
    for (int i = 0; i < rounds(300, 20000) && !HasFailure(); ++i) {
        const auto m = random_message(random, GetParam());
        const auto forgery = static_cast<Forgery>(random() % kNumForgeries);
        const std::size_t tag_len = 1 + random() % 16;
        const auto at = static_cast<std::size_t>(random());
        const int num_ours = expect_same(GetParam(), [&](GcmSession& sequence) {
            ASSERT_TRUE(sequence.message(m, 1));
            auto back = m;
            back.text = sequence.text;
            back.tag = sequence.get_tag(static_cast<int>(tag_len));
            forge(back, forgery, at);
            const bool good = sequence.message(back, 0);
            // A short tag may be right by chance, on both sides.
            if (forgery == Forgery::none || forgery == Forgery::tag || tag_len > 8) {
                EXPECT_EQ(good, forgery == Forgery::none);
            }
            if (forgery == Forgery::none) {
                EXPECT_EQ(sequence.text, m.text);
            }
        });
        EXPECT_EQ(num_ours, is_offered() ? 2 : 0);
    }
}

TEST_P(Gcm, refusals_are_the_default_providers) {
    Message m{data(GetParam(), 1), data(12, 2), data(13, 3), data(100, 4), data(16, 5)};
    expect_same(GetParam(), [&](GcmSession& sequence) {
        sequence.pieces(m.text, true, 0, false);  // no key
        sequence.final();
        sequence.ask();  // no IV
        sequence.start(m, 1);
        sequence.set_tag(m.tag);  // is for decryption
        sequence.get_tag(16);     // is not made yet
        sequence.pieces(m.text, false, 0, false);
        sequence.pieces(m.aad, true, 0, false);  // too late
        sequence.start(m, 1);
        sequence.pieces(m.text, false, 0, false);
        sequence.final();
        for (const int tag_len : {16, 12, 1, 0, 17}) sequence.trace.value("tag", hex(sequence.get_tag(tag_len)));
        sequence.pieces(m.text, false, 0, false);  // the IV is used up
        sequence.final();
        sequence.start(m, 0);
        sequence.pieces(m.text, false, 0, false);
        sequence.set_tag(Data(17));
        sequence.final();  // no tag
        for (const int len : {0, 129, -1}) sequence.control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, len, {});
        sequence.control("no tag", EVP_CTRL_AEAD_SET_TAG, 0, Data(1));
        sequence.control("no place", EVP_CTRL_AEAD_SET_TAG, 16, {});
        sequence.control("aad", EVP_CTRL_AEAD_TLS1_AAD, 12, Data(13));
        sequence.control("short record", EVP_CTRL_AEAD_TLS1_AAD, 13, Data(13));
        sequence.pieces(m.text, false, 0, true);
        sequence.control("no fixed iv", EVP_CTRL_GCM_IV_GEN, 8, Data(8));
        sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, 3, Data(3));
        sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, 5, Data(5));
    });
}

TEST_P(Gcm, wrong_lengths_of_ivs_are_refused) {
    if (!is_offered()) GTEST_SKIP() << "the default provider writes outside its IV for these";
    GcmSession sequence(with_octavo(), GetParam());
    const auto key = data(GetParam(), 1), iv = data(64, 2);
    auto record = data(40, 3);
    sequence.control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, 7, {});
    sequence.init(&key, &iv, 1);
    sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, -1, iv);
    Data place(8);
    EXPECT_NE(EVP_CIPHER_CTX_ctrl(sequence.get(), EVP_CTRL_GCM_IV_GEN, 8, place.data()), 1);
    EXPECT_EQ(sequence.record(record), 0);
    for (const int len : {20, -2, -4, -7, -8, -9})
        EXPECT_NE(EVP_CIPHER_CTX_ctrl(sequence.get(), EVP_CTRL_GCM_SET_IV_FIXED, len, Data(20).data()), 1) << len;
    sequence.init(&key, &iv, 0);
    EXPECT_NE(EVP_CIPHER_CTX_ctrl(sequence.get(), EVP_CTRL_GCM_SET_IV_INV, 8, place.data()), 1);
}

TEST_P(Gcm, random_ivs_are_random_and_told) {
    for (auto* side : {with_octavo(), without_octavo()}) {
        const auto key = data(GetParam(), 1), text = data(50, 2);
        std::set<std::string> ivs;
        for (const int fixed : {4, 4, 0, 0}) {
            GcmSession seal(side, GetParam()), open(side, GetParam());
            seal.init(&key, nullptr, 1);
            if (fixed != 0) seal.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, fixed, data(4, 3));
            seal.pieces(text, false, 0, false);
            ASSERT_TRUE(seal.final()) << name_of(side) << seal.trace.text();
            Data iv(12);
            ASSERT_EQ(EVP_CIPHER_CTX_get_updated_iv(seal.get(), iv.data(), iv.size()), 1);
            EXPECT_TRUE(ivs.insert(hex(iv)).second);
            EXPECT_TRUE(open.message({key, iv, {}, seal.text, seal.get_tag(16)}, 0));
            EXPECT_EQ(open.text, text);
        }
    }
}

TEST_P(Gcm, records_of_tls_are_the_default_providers) {
    constexpr int kNumRecords = 6 * 2 * 2 * 3;
    int num_ours = 0;
    auto key = data(GetParam(), 1), fixed = data(12, 2);
    for (const std::size_t len : {24, 25, 40, 88, 1048, 16408}) {
        Data sealed;
        for (const bool spoilt : {false, true})
            num_ours += expect_same(GetParam(), [&](GcmSession& sequence) {
                for (const int encrypts : {1, 0}) {
                    sequence.init(&key, nullptr, encrypts);
                    // All 12 bytes for encryption, so that the explicit part is not random.
                    sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, encrypts != 0 ? -1 : 4, fixed);
                    for (unsigned i = 0; i < 3; ++i) {
                        if (encrypts != 0) sealed = data(len, i);
                        if (encrypts == 0 && spoilt) sealed[len - 1] ^= 1;
                        sequence.trace.value("length", std::to_string(sequence.record(sealed)));
                        sequence.trace.value("bytes", hex(sealed));
                    }
                }
            });
    }
    EXPECT_EQ(num_ours, is_offered() ? kNumRecords : 0);
}

TEST_P(Gcm, calls_in_any_order_answer_as_the_default_providers) {
    for (unsigned seed = 0; seed < static_cast<unsigned>(rounds(200, 20000)) && !HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        expect_same(GetParam(), [&](GcmSession& sequence) { AnyGcmCalls(GetParam(), seed).run(sequence); });
    }
}

INSTANTIATE_TEST_SUITE_P(KeyLengths, Gcm, testing::ValuesIn(kGcmKeyLengths));

bool check_vector(const Json&, const Json& test) {
    constexpr std::size_t kMaxIv = 128;  // OpenSSL's, and so Octavo's
    const auto bytes = [&](const char* name) { return unhex(test.at(name)); };
    Message m{bytes("key"), bytes("iv"), bytes("aad"), bytes("msg"), bytes("tag")};
    GcmSession seal(with_octavo(), m.key.size()), open(with_octavo(), m.key.size());
    auto sealed = m;
    sealed.text = bytes("ct");
    const bool good = !m.iv.empty() && seal.message(m, 1) && open.message(sealed, 0) && seal.text == sealed.text &&
                      seal.get_tag(16) == m.tag && open.text == m.text;
    if (m.iv.size() <= kMaxIv) return good;
    EXPECT_FALSE(good);
    return test.at("result") == "valid";
}

TEST(GcmVectors, of_a_third_party) {
    if (!has_vectors()) GTEST_SKIP() << no_vectors();
    run_aead_file("aes_gcm_test.json", check_vector);
}

}  // namespace
}  // namespace octavo::test
