#include "frontend/provider/padding.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <numeric>

#include "frontend/bridge/error_queue.hpp"
#include "frontend/provider/pss.hpp"
#include "sides.hpp"

// The provider's verification hands whatever it does not accept to the default provider: only here can a wrong refusal be seen.
namespace octavo::test {
namespace {

using namespace provider;

class Encodings : public testing::Test {
protected:
    Encodings() { digests_.open(nullptr); }
    ~Encodings() override { digests_.close(); }
    const Digest* digest(const char* name) { return digests_.find(name); }

    Digests digests_;
    MdContext scratch_{EVP_MD_CTX_new()};
};

TEST_F(Encodings, KnowEveryNameOfADigest) {
    for (const auto* name : {"SHA256", "sha256", "SHA2-256", "SHA-256", "2.16.840.1.101.3.4.2.1"})
        EXPECT_EQ(digest(name), digest("SHA256"));
    EXPECT_NE(digest("SHA256"), digest("SHA3-256"));
    for (const auto* name : {"", "SHA", "SHA25", "SHA2567", "BLAKE2b512", "MDC2"})
        EXPECT_EQ(digest(name), nullptr) << name;
}

TEST_F(Encodings, Pkcs1RoundTripAndBounds) {
    const auto message = test::data(20, 1);
    for (const std::size_t len : {31UL, 64UL, 256UL}) {
        Data em(len, 0xcc);
        ASSERT_TRUE(pkcs1_encode(em, {}, message));
        Bytes found;
        ASSERT_TRUE(pkcs1_decode(em, found));
        EXPECT_TRUE(std::ranges::equal(found, message));
    }
    Data em(30);
    EXPECT_FALSE(pkcs1_encode(em, {}, message));
}

TEST_F(Encodings, Pkcs1DecodeRefusesOtherForms) {
    Data em(64);
    ASSERT_TRUE(pkcs1_encode(em, {}, test::data(20, 1)));
    Bytes found;
    for (const std::size_t at : {0UL, 1UL, 2UL, 9UL, 42UL}) {
        auto wrong = em;
        wrong[at] ^= 0x10;
        EXPECT_FALSE(pkcs1_decode(wrong, found)) << at;
    }
    EXPECT_FALSE(pkcs1_decode(Data(64, 0xff), found));
    EXPECT_FALSE(pkcs1_decode(Data(10, 0), found));
    auto short_padding = Data(64, 0xff);
    short_padding[0] = 0, short_padding[1] = 1, short_padding[9] = 0;
    EXPECT_FALSE(pkcs1_decode(short_padding, found));
    short_padding[9] = 0xff, short_padding[10] = 0;
    EXPECT_TRUE(pkcs1_decode(short_padding, found));
}

TEST_F(Encodings, PssRoundTripsAtEverySizeAndSalt) {
    for (std::size_t bits = 1024; bits <= 1033; ++bits)
        for (const auto* name : {"SHA1", "SHA256", "SHA512"})
            for (const int salt_len : {kSaltDigest, kSaltAuto, kSaltMax, kSaltAutoDigestMax, 0, 1, 17}) {
                const PssShape shape{digest(name), digest("SHA256"), bits, salt_len};
                const auto hash = test::data(shape.digest->len, 1);
                const int len = pss_signing_salt_len(shape);
                if (len < 0) continue;
                Data em((bits + 7) / 8);
                ASSERT_TRUE(pss_encode(scratch_.get(), shape, hash, test::data(static_cast<std::size_t>(len), 2), em));
                // It must be less than any modulus of that length.
                if (bits % 8 != 0) {
                    EXPECT_EQ(em[0] >> (bits % 8 == 1 ? 0 : (bits - 1) % 8), 0);
                }
                auto copy = em;
                EXPECT_TRUE(pss_verify(scratch_.get(), shape, hash, copy)) << bits << name << salt_len;
                copy = em;
                auto other = hash;
                other[0] ^= 1;
                EXPECT_FALSE(pss_verify(scratch_.get(), shape, other, copy));
                for (const std::size_t at : {0UL, em.size() / 2, em.size() - 2, em.size() - 1}) {
                    copy = em;
                    copy[at] ^= 0x80;
                    EXPECT_FALSE(pss_verify(scratch_.get(), shape, hash, copy))
                        << bits << name << salt_len << " at " << at;
                }
            }
}

TEST_F(Encodings, PssSaltLengthIsHeldTo) {
    PssShape shape{digest("SHA256"), digest("SHA256"), 1024, 20};
    const auto hash = test::data(32, 1);
    Data em(128);
    ASSERT_TRUE(pss_encode(scratch_.get(), shape, hash, test::data(20, 2), em));
    for (const auto& [salt_len, right] : {std::pair{20, true},
                                          {19, false},
                                          {21, false},
                                          {kSaltAuto, true},
                                          {kSaltDigest, false},
                                          {kSaltMax, false},
                                          {0, false}}) {
        shape.salt_len = salt_len;
        auto copy = em;
        EXPECT_EQ(pss_verify(scratch_.get(), shape, hash, copy), right) << salt_len;
    }
    shape.salt_len = 95;
    EXPECT_EQ(pss_signing_salt_len(shape), -1);
    shape.salt_len = 94;
    EXPECT_EQ(pss_signing_salt_len(shape), 94);
    shape.digest = digest("SHA512");
    shape.bits = 512;
    EXPECT_EQ(pss_signing_salt_len(shape), -1);
    EXPECT_FALSE(pss_encode(scratch_.get(), shape, test::data(64, 1), {}, em));
}

Data tls(const Data& em, unsigned client, unsigned alternative) {
    Data random(kTlsPremaster, 0xee), out(kTlsPremaster);
    tls_decode(em, client, alternative, std::span<const std::uint8_t, kTlsPremaster>(random),
               std::span<std::uint8_t, kTlsPremaster>(out));
    return out;
}

TEST_F(Encodings, TlsPremasterBytewise) {
    auto em = test::data(128, 9);
    for (auto& byte : em)
        if (byte == 0) byte = 1;
    em[0] = 0, em[1] = 2, em[128 - 49] = 0, em[128 - 48] = 3, em[128 - 47] = 3;
    const Data secret(em.end() - 48, em.end()), random(48, 0xee);
    EXPECT_EQ(tls(em, 0x303, 0), secret);
    EXPECT_EQ(tls(em, 0x302, 0x303), secret);
    EXPECT_EQ(tls(em, 0x302, 0), random);
    EXPECT_EQ(tls(em, 0x302, 0x301), random);
    for (std::size_t at = 0; at < 128 - 46; ++at) {
        auto wrong = em;
        if (at < 2)
            wrong[at] ^= 1;
        else if (at < 128 - 49)
            wrong[at] = 0;
        else
            wrong[at] ^= 1;
        EXPECT_EQ(tls(wrong, 0x303, 0), random) << at;
    }
}

TEST(ThreadErrors, ComeBackInOrderWithTheirTexts) {
    ERR_clear_error();
    ERR_raise_data(ERR_LIB_USER, 1, "first");
    ERR_raise(ERR_LIB_USER, 2);
    errno = 42;
    bridge::ThreadErrors errors;
    EXPECT_EQ(ERR_peek_error(), 0U);
    errno = 0;
    errors.restore();
    EXPECT_EQ(errno, 42);
    const char* text = nullptr;
    int flags = 0;
    EXPECT_EQ(ERR_GET_REASON(ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags)), 1);
    EXPECT_STREQ(text, "first");
    EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 2);
    EXPECT_EQ(ERR_get_error(), 0U);
}

}  // namespace
}  // namespace octavo::test
