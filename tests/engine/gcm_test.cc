// AES-GCM by the engine, beside the default provider's. Where the CPU is not made for it the engine's contexts are OpenSSL's own, and must do the same.
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <cstdlib>

#include "curve_keys.hpp"
#include "gcm_session.hpp"
#include "support.hpp"
#include "support/own_work.hpp"

namespace octavo::test {
namespace {

const EVP_CIPHER* cipher_of(std::size_t key_len) {
    return key_len == 16 ? EVP_aes_128_gcm() : key_len == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
}

CipherContext make(ENGINE* engine, std::size_t key_len) {
    CipherContext context(EVP_CIPHER_CTX_new());
    EXPECT_EQ(EVP_CipherInit_ex(context.get(), cipher_of(key_len), engine, nullptr, nullptr, 1), 1) << first_reason();
    return context;
}

/// Runs `what` by the default provider and by the engine. Gives back how many messages libipsec-mb had.
template <class What>
int expect_same(std::size_t key_len, What&& what) {
    std::string texts[2];
    int before = 0;
    for (auto* by : {static_cast<ENGINE*>(nullptr), engine()}) {
        before = own_work::messages;
        GcmSession session(make(by, key_len), Exactness::results);
        what(session);
        texts[by == nullptr ? 0 : 1] = session.trace.text();
    }
    EXPECT_EQ(texts[0], texts[1]);
    return own_work::messages - before;
}

int rounds(int few, int many) { return std::getenv("OCTAVO_LONG_TESTS") != nullptr ? many : few; }

class Gcm : public testing::TestWithParam<std::size_t> {};

TEST_P(Gcm, is_the_engines) {
    const auto context = make(engine(), GetParam());
    EXPECT_EQ(EVP_CIPHER_get0_provider(EVP_CIPHER_CTX_get0_cipher(context.get())), nullptr);
    EXPECT_EQ(EVP_CIPHER_get_nid(EVP_CIPHER_CTX_get0_cipher(context.get())), EVP_CIPHER_get_nid(cipher_of(GetParam())));
    EXPECT_NE(EVP_CIPHER_meth_get_do_cipher(EVP_CIPHER_CTX_get0_cipher(context.get())),
              EVP_CIPHER_meth_get_do_cipher(cipher_of(GetParam())));
    EXPECT_EQ(EVP_CIPHER_CTX_get_iv_length(context.get()), 12);
}

TEST_P(Gcm, messages_of_any_shape_are_the_default_providers) {
    constexpr int kNumMessages = 3;
    std::mt19937 random(11);
    for (int i = 0; i < rounds(100, 5000) && !HasFailure(); ++i) {
        const auto m = random_message(random, GetParam());
        const int num_ours = expect_same(GetParam(), [&](GcmSession& session) {
            ASSERT_TRUE(session.message(m, 1));
            auto back = m;
            back.text = session.text;
            back.tag = session.get_tag(16);
            EXPECT_TRUE(session.message(back, 0));
            EXPECT_EQ(session.text, m.text);
            back.tag[static_cast<std::size_t>(i) % 16] ^= 1;
            EXPECT_FALSE(session.message(back, 0));
        });
        EXPECT_EQ(num_ours, cpu_has_wide_aes() ? kNumMessages : 0);
    }
    if (!cpu_has_wide_aes())
        GTEST_SKIP() << "no VAES with AVX-512: the engine leaves AES-GCM to OpenSSL, which was compared with itself";
}

TEST_P(Gcm, calls_in_any_order_do_what_the_default_providers_do) {
    if (!cpu_has_wide_aes())
        GTEST_SKIP() << "the engine leaves AES-GCM to OpenSSL's older functions here, which have answers of their own";
    for (unsigned seed = 0; seed < static_cast<unsigned>(rounds(100, 5000)) && !HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        expect_same(GetParam(), [&](GcmSession& session) { AnyGcmCalls(GetParam(), seed).run(session); });
    }
}

TEST_P(Gcm, records_are_the_default_providers) {
    constexpr int kNumRecords = 5;
    const int num_ours = expect_same(GetParam(), [&](GcmSession& session) {
        const auto key = data(GetParam(), 1);
        session.init(&key, nullptr, 1);
        session.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, -1, data(12, 5));
        for (unsigned i = 0; i < kNumRecords; ++i) {
            auto record = data(24 + 1000 * i, i);
            session.trace.value("record", std::to_string(session.record(record)) + hex(record));
        }
    });
    if (!cpu_has_wide_aes()) GTEST_SKIP() << "no VAES with AVX-512: OpenSSL's AES-GCM was compared with itself";
    EXPECT_EQ(num_ours, kNumRecords);
}

TEST_P(Gcm, what_is_switched_off_is_openssls_own) {
    const auto text = data(100, 3);
    constexpr std::pair<const char*, bool> kCases[] = {{"0x1", false}, {"0x400", true}};
    for (const auto& [bits, is_on] : kCases) {
        ASSERT_EQ(ENGINE_ctrl_cmd_string(engine(), "HW_ALGO_BITMAP", bits, 0), 1);
        const int num_ours = expect_same(GetParam(), [&](GcmSession& session) {
            EXPECT_TRUE(session.message({data(GetParam(), 1), data(12, 2), text, text, {}}, 1));
            session.go_on_in_a_copy();
            auto record = data(200, 4);
            session.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, -1, data(12, 5));
            session.trace.value("record", std::to_string(session.record(record)) + hex(record));
        });
        EXPECT_EQ(num_ours, is_on && cpu_has_wide_aes() ? 2 : 0);
    }
    ASSERT_EQ(ENGINE_ctrl_cmd_string(engine(), "HW_ALGO_BITMAP", "0x7ffff", 0), 1);
}

INSTANTIATE_TEST_SUITE_P(KeyLengths, Gcm, testing::ValuesIn(kGcmKeyLengths));

}  // namespace
}  // namespace octavo::test
