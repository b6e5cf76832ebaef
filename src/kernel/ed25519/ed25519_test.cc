#include "kernel/ed25519/ed25519.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/row.hpp"

/// Every row of Ed25519 against OpenSSL and RFC 8032.
namespace octavo::kernel::ed25519::test {
namespace {

using ByteVector = std::vector<std::uint8_t>;
using Pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using MdCtx = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

constexpr std::size_t kCounts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 63, 64};
/// Around the ends of SHA-512's blocks, behind 0, 32 and 64 bytes of head.
constexpr std::size_t kLens[] = {0,  1,   2,   15,  46,  47,  48,  63,  64,  65,  78,  79,  80,  95,   96,
                                 97, 111, 112, 127, 128, 129, 174, 175, 176, 192, 206, 207, 208, 1023, 5000};

void require(bool good) {
    if (!good) throw std::runtime_error("the oracle failed");
}

ByteVector from_hex(const std::string& digits) {
    ByteVector bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
    return bytes;
}

ByteVector random_bytes(std::size_t len) {
    ByteVector bytes(len);
    require(RAND_bytes(bytes.data(), static_cast<int>(len)) == 1);
    return bytes;
}

struct Case {
    ByteVector seed, public_key, message, signature;
    bool good = true;
};

Case signed_by_openssl(const ByteVector& seed, const ByteVector& message) {
    Case result{seed, ByteVector(kKeyLen), message, ByteVector(kSignatureLen)};
    const Pkey key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), kKeyLen), &EVP_PKEY_free};
    const MdCtx ctx{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    std::size_t key_len = kKeyLen, len = kSignatureLen;
    require(key && EVP_PKEY_get_raw_public_key(key.get(), result.public_key.data(), &key_len) == 1);
    require(EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr, key.get()) == 1);
    require(EVP_DigestSign(ctx.get(), result.signature.data(), &len, message.data(), message.size()) == 1);
    return result;
}

bool openssl_verifies(const Case& c) {
    const Pkey key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, c.public_key.data(), kKeyLen),
                   &EVP_PKEY_free};
    const MdCtx ctx{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    require(key && EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, key.get()) == 1);
    return EVP_DigestVerify(ctx.get(), c.signature.data(), kSignatureLen, c.message.data(), c.message.size()) == 1;
}

const std::vector<Case>& signed_cases() {
    static const std::vector<Case> cases = [] {
        std::vector<Case> made;
        for (const std::size_t len : kLens) made.push_back(signed_by_openssl(random_bytes(kKeyLen), random_bytes(len)));
        made.push_back(signed_by_openssl(ByteVector(kKeyLen, 0), {}));
        made.push_back(signed_by_openssl(ByteVector(kKeyLen, 0xFF), ByteVector(200, 0xFF)));
        for (int i = 0; i < 200; ++i)
            made.push_back(signed_by_openssl(random_bytes(kKeyLen), random_bytes(static_cast<std::size_t>(i) % 70)));
        return made;
    }();
    return cases;
}

/// Batches of every size, and at last all cases.
template <typename Run>
void in_batches(const std::vector<Case>& cases, Run&& run) {
    std::size_t at = 0;
    const auto take = [&](std::size_t count) {
        SCOPED_TRACE("batch of " + std::to_string(count));
        std::vector<Case> batch;
        for (std::size_t i = 0; i < count; ++i) batch.push_back(cases[at++ % cases.size()]);
        run(std::as_const(batch));
    };
    for (const std::size_t count : kCounts) take(count);
    while (at < cases.size() && !::testing::Test::HasFailure()) take(8);
}

class Ed25519Row : public ::testing::TestWithParam<std::size_t> {
protected:
    const Row& row() const { return rows()[GetParam()]; }
    void SetUp() override {
        if (row_usable(row().name, row().needs)) return;
        std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the Ed25519 row %s ***\n\n", row().name);
        GTEST_SKIP() << "the CPU cannot run " << row().name;
    }

    void keygen(const std::vector<Case>& cases) const {
        std::vector<ByteVector> keys(cases.size(), ByteVector(kKeyLen));
        std::vector<KeygenJob> jobs;
        for (std::size_t i = 0; i < cases.size(); ++i) jobs.push_back({cases[i].seed.data(), keys[i].data(), false});
        row().keygen(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < cases.size(); ++i) {
            EXPECT_TRUE(jobs[i].ok);
            EXPECT_EQ(keys[i], cases[i].public_key) << "job " << i;
        }
    }

    void sign(const std::vector<Case>& cases) const {
        std::vector<ByteVector> outputs(cases.size(), ByteVector(kSignatureLen + 3, 0xA5));
        std::vector<SignJob> jobs;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const Case& c = cases[i];
            const std::uint8_t* message = c.message.empty() ? nullptr : c.message.data();
            jobs.push_back(
                {c.seed.data(), c.public_key.data(), message, c.message.size(), outputs[i].data() + 1, false});
        }
        row().sign(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < cases.size(); ++i) {
            ByteVector expected = cases[i].signature;
            expected.insert(expected.begin(), 0xA5);
            expected.insert(expected.end(), 2, 0xA5);
            EXPECT_TRUE(jobs[i].ok);
            EXPECT_EQ(outputs[i], expected) << "job " << i << ", length " << cases[i].message.size();
        }
    }

    void verify(const std::vector<Case>& cases) const {
        std::vector<VerifyJob> jobs;
        for (const Case& c : cases)
            jobs.push_back({c.public_key.data(), c.message.data(), c.message.size(), c.signature.data(), !c.good});
        row().verify(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(jobs[i].ok, cases[i].good) << "job " << i;
    }
};

TEST_P(Ed25519Row, KeygenMatchesOracle) {
    in_batches(signed_cases(), [&](const auto& batch) { keygen(batch); });
}

TEST_P(Ed25519Row, SignMatchesOracle) {
    in_batches(signed_cases(), [&](const auto& batch) { sign(batch); });
}

TEST_P(Ed25519Row, VerifyTakesWhatIsRight) {
    in_batches(signed_cases(), [&](const auto& batch) { verify(batch); });
}

TEST_P(Ed25519Row, VerifyRefusesWhatIsChanged) {
    std::vector<Case> cases;
    for (std::size_t i = 0; i < 100; ++i) {
        Case c = signed_cases()[i];
        ByteVector* const fields[] = {&c.signature, &c.public_key, &c.message};
        ByteVector& field = *fields[i % 3];
        if (field.empty()) continue;
        field[i * 7 % field.size()] ^= static_cast<std::uint8_t>(1U << (i % 8));
        c.good = openssl_verifies(c);
        EXPECT_FALSE(c.good);
        cases.push_back(signed_cases()[i + 100]);
        cases.push_back(c);
    }
    in_batches(cases, [&](const auto& batch) { verify(batch); });
}

/// S + L: the same modulo L, and refused (RFC 8032, 5.1.7, step 1).
Case with_order_added(Case c) {
    const ByteVector order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    unsigned carry = 0;
    for (std::size_t i = 0; i < kKeyLen; ++i) {
        carry += c.signature[kKeyLen + i] + order[i];
        c.signature[kKeyLen + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    c.good = false;
    return c;
}

/// Keys of small order: R = [S]B and any message where the key is neutral; other keys as OpenSSL says.
void add_small_order(std::vector<Case>& cases) {
    const char* const keys[] = {"0100000000000000000000000000000000000000000000000000000000000000",
                                "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                "0000000000000000000000000000000000000000000000000000000000000000",
                                "0000000000000000000000000000000000000000000000000000000000000080",
                                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"};
    for (const char* key : keys) {
        for (int i = 0; i < 8; ++i) {
            Case c{{}, from_hex(key), random_bytes(20), ByteVector(kSignatureLen, 0)};
            c.signature[0] = 1;  // R neutral, S = 0
            c.good = openssl_verifies(c);
            cases.push_back(c);
        }
    }
}

/// Encodings that RFC 8032 (5.1.3) refuses, each with a signature that holds for the point they could stand for.
void add_bad_keys(std::vector<Case>& cases) {
    for (const char* key : {"0100000000000000000000000000000000000000000000000000000000000080",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                            "0200000000000000000000000000000000000000000000000000000000000000",
                            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
        for (int i = 0; i < 3; ++i) {
            Case c{{}, from_hex(key), random_bytes(20), ByteVector(kSignatureLen, 0), false};
            c.signature[0] = 1;
            cases.push_back(c);
        }
    }
}

TEST_P(Ed25519Row, VerifyRefusesWhatIsNotCanonical) {
    std::vector<Case> cases;
    for (std::size_t i = 0; i < 10; ++i) cases.push_back(with_order_added(signed_cases()[i]));
    add_small_order(cases);
    EXPECT_GT(std::count_if(cases.begin(), cases.end(), [](const Case& c) { return c.good; }), 7);
    add_bad_keys(cases);
    in_batches(cases, [&](const auto& batch) { verify(batch); });
}

/// RFC 8032, 7.1: tests 1, 2 and 3.
TEST_P(Ed25519Row, GivesRfc8032) {
    const char* const vectors[][4] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"}};
    std::vector<Case> cases;
    for (const auto& v : vectors) cases.push_back({from_hex(v[0]), from_hex(v[1]), from_hex(v[2]), from_hex(v[3])});
    keygen(cases);
    sign(cases);
    verify(cases);
}

INSTANTIATE_TEST_SUITE_P(Table, Ed25519Row, ::testing::Range(std::size_t{0}, rows().size()),
                         [](const auto& param) { return std::string(rows()[param.param].name); });

TEST(Ed25519Table, EndsWithRefWhichIsLeftWithoutIfma) {
    EXPECT_STREQ(rows().back().name, "ref");
    EXPECT_EQ(&rows().back(), &ref_row());
    EXPECT_EQ(ref_row().needs, cpu::none);
    cpu::disable(cpu::avx512ifma);
    EXPECT_EQ(lane_row(), nullptr);
    cpu::disable(cpu::none);
}

}  // namespace
}  // namespace octavo::kernel::ed25519::test
