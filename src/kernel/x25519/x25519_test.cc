#include "kernel/x25519/x25519.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/row.hpp"

/// Every row of X25519 against OpenSSL and RFC 7748.
namespace octavo::kernel::x25519::test {
namespace {

using ByteVector = std::vector<std::uint8_t>;

constexpr std::size_t kCounts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 63, 64};

ByteVector from_hex(const std::string& digits) {
    ByteVector bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
    return bytes;
}

ByteVector random_bytes() {
    ByteVector bytes(kLen);
    if (RAND_bytes(bytes.data(), static_cast<int>(kLen)) != 1) throw std::runtime_error("no random bytes");
    return bytes;
}

/// OpenSSL's answer; empty where it refuses.
ByteVector openssl_derive(const ByteVector& scalar, const ByteVector& u) {
    using Pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    const Pkey key{EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), kLen), &EVP_PKEY_free};
    const Pkey peer{EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, u.data(), kLen), &EVP_PKEY_free};
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> ctx{EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                          &EVP_PKEY_CTX_free};
    ByteVector shared(kLen);
    std::size_t len = kLen;
    if (!ctx || EVP_PKEY_derive_init(ctx.get()) != 1 || EVP_PKEY_derive_set_peer(ctx.get(), peer.get()) != 1)
        throw std::runtime_error("the oracle failed");
    if (EVP_PKEY_derive(ctx.get(), shared.data(), &len) != 1) return {};
    return shared;
}

struct Case {
    ByteVector scalar, u, shared;  ///< shared empty: refused
};

void run_derive(const Row& row, const std::vector<Case>& cases) {
    std::vector<ByteVector> outputs(cases.size(), ByteVector(kLen + 3, 0xA5));
    std::vector<DeriveJob> jobs;
    for (std::size_t i = 0; i < cases.size(); ++i)
        jobs.push_back({cases[i].scalar.data(), cases[i].u.data(), outputs[i].data() + 1, cases[i].shared.empty()});
    row.derive(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE("job " + std::to_string(i) + " of " + std::to_string(cases.size()));
        const bool good = !cases[i].shared.empty();
        ByteVector expected = good ? cases[i].shared : ByteVector(kLen, 0);
        expected.insert(expected.begin(), 0xA5);
        expected.insert(expected.end(), 2, 0xA5);
        EXPECT_EQ(jobs[i].ok, good);
        EXPECT_EQ(outputs[i], expected);
    }
}

/// 2^255 - 19 + offset, little-endian.
ByteVector near_prime(int offset) {
    ByteVector bytes(kLen, 0xFF);
    bytes[0] = static_cast<std::uint8_t>(0xED + offset);
    bytes[kLen - 1] = 0x7F;
    return bytes;
}

/// Coordinates of small order, beyond the prime, with the top bit set, of few and of all bits.
std::vector<ByteVector> edge_points() {
    std::vector<ByteVector> result;
    for (int i = -3; i <= 18; ++i) result.push_back(near_prime(i));
    for (int i = 0; i < 10; ++i) {
        result.emplace_back(kLen, 0);
        result.back()[0] = static_cast<std::uint8_t>(i);
        result.push_back(result.back());
        result.back()[kLen - 1] = 0x80;
    }
    result.emplace_back(kLen, 0xFF);
    result.push_back(from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"));
    result.push_back(from_hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"));
    for (std::size_t bit = 0; bit < 256; bit += 3) {
        result.emplace_back(kLen, 0);
        result.back()[bit / 8] = static_cast<std::uint8_t>(1U << (bit % 8));
    }
    return result;
}

std::vector<ByteVector> edge_scalars() {
    std::vector<ByteVector> result = {ByteVector(kLen, 0), ByteVector(kLen, 0xFF), near_prime(0)};
    for (std::size_t bit = 0; bit < 256; bit += 5) {
        result.emplace_back(kLen, 0);
        result.back()[bit / 8] = static_cast<std::uint8_t>(1U << (bit % 8));
        result.emplace_back(kLen, 0xFF);
        result.back()[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    return result;
}

std::vector<Case> make_cases() {
    std::vector<Case> cases;
    const auto add = [&](const ByteVector& scalar, const ByteVector& u) {
        cases.push_back({scalar, u, openssl_derive(scalar, u)});
    };
    for (const ByteVector& u : edge_points()) add(random_bytes(), u);
    for (const ByteVector& scalar : edge_scalars()) add(scalar, random_bytes());
    for (int i = 0; i < 100; ++i) add(random_bytes(), random_bytes());
    return cases;
}

/// Batches of every size, and at last all cases.
template <typename Run>
void in_batches(const std::vector<Case>& cases, Run&& run) {
    std::size_t at = 0;
    const auto take = [&](std::size_t count) {
        std::vector<Case> batch;
        for (std::size_t i = 0; i < count; ++i) batch.push_back(cases[at++ % cases.size()]);
        run(std::as_const(batch));
    };
    for (const std::size_t count : kCounts) take(count);
    while (at < cases.size() && !::testing::Test::HasFailure()) take(8);
}

class X25519Row : public ::testing::TestWithParam<std::size_t> {
protected:
    const Row& row() const { return rows()[GetParam()]; }
    void SetUp() override {
        if (row_usable(row().name, row().needs)) return;
        std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the X25519 row %s ***\n\n", row().name);
        GTEST_SKIP() << "the CPU cannot run " << row().name;
    }
    ByteVector derive(const ByteVector& scalar, const ByteVector& u) const {
        ByteVector shared(kLen);
        DeriveJob job{scalar.data(), u.data(), shared.data(), false};
        row().derive(&job, 1);
        EXPECT_TRUE(job.ok);
        return shared;
    }
};

TEST_P(X25519Row, DeriveMatchesOracle) {
    const auto cases = make_cases();
    EXPECT_GT(std::count_if(cases.begin(), cases.end(), [](const Case& c) { return c.shared.empty(); }), 5);
    in_batches(cases, [&](const auto& batch) { run_derive(row(), batch); });
}

TEST_P(X25519Row, KeygenIsDeriveOfNine) {
    ByteVector nine(kLen, 0);
    nine[0] = 9;
    std::vector<Case> cases;
    for (const ByteVector& scalar : edge_scalars()) cases.push_back({scalar, {}, openssl_derive(scalar, nine)});
    for (int i = 0; i < 100; ++i) {
        const ByteVector scalar = random_bytes();
        cases.push_back({scalar, {}, openssl_derive(scalar, nine)});
    }
    in_batches(cases, [&](const std::vector<Case>& batch) {
        std::vector<ByteVector> outputs(batch.size(), ByteVector(kLen));
        std::vector<KeygenJob> jobs;
        for (std::size_t i = 0; i < batch.size(); ++i)
            jobs.push_back({batch[i].scalar.data(), outputs[i].data(), false});
        row().keygen(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < batch.size(); ++i) {
            EXPECT_TRUE(jobs[i].ok);
            EXPECT_EQ(outputs[i], batch[i].shared) << "job " << i << " of " << batch.size();
        }
    });
}

/// RFC 7748, 5.2.
TEST_P(X25519Row, GivesRfc7748) {
    EXPECT_EQ(derive(from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                     from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
              from_hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
    EXPECT_EQ(derive(from_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                     from_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
              from_hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
}

/// RFC 7748, 5.2: the iterated vector, a thousand times; a million times, which takes a minute, where OCTAVO_LONG_TESTS asks for it.
TEST_P(X25519Row, GivesRfc7748Iterated) {
    ByteVector k(kLen, 0), u;
    k[0] = 9;
    u = k;
    const int last = std::getenv("OCTAVO_LONG_TESTS") != nullptr ? 1'000'000 : 1000;
    for (int i = 1; i <= last; ++i) {
        ByteVector result = derive(k, u);
        u = std::move(k);
        k = std::move(result);
        if (i == 1) {
            EXPECT_EQ(k, from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
        } else if (i == 1000) {
            EXPECT_EQ(k, from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
        } else if (i == 1'000'000) {
            EXPECT_EQ(k, from_hex("7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424"));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Table, X25519Row, ::testing::Range(std::size_t{0}, rows().size()),
                         [](const auto& param) { return std::string(rows()[param.param].name); });

TEST(X25519Table, EndsWithRefWhichIsLeftWithoutIfma) {
    EXPECT_STREQ(rows().back().name, "ref");
    EXPECT_EQ(&rows().back(), &ref_row());
    EXPECT_EQ(ref_row().needs, cpu::none);
    cpu::disable(cpu::avx512ifma);
    EXPECT_EQ(lane_row(), nullptr);
    cpu::disable(cpu::none);
}

}  // namespace
}  // namespace octavo::kernel::x25519::test
