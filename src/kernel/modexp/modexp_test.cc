#include "kernel/modexp/modexp.hpp"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/cpu.hpp"
#include "kernel/evp_ref.hpp"
#include "kernel/row.hpp"

/// Every row of the table against BN_mod_exp.
namespace octavo::kernel::modexp {
namespace {

using ByteVector = std::vector<std::uint8_t>;

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

void* zeroed(std::size_t len) {
    const auto rounded = (len + 63) / 64 * 64 + 64;
    auto* memory = std::aligned_alloc(64, rounded);
    std::fill_n(static_cast<std::uint8_t*>(memory), rounded, std::uint8_t{0});
    return memory;
}

ByteVector random_bytes(std::size_t len) {
    ByteVector bytes(len);
    EXPECT_EQ(RAND_bytes(bytes.data(), static_cast<int>(len)), 1);
    return bytes;
}

ByteVector random_modulus(std::size_t bits) {
    auto n = random_bytes(bits / 8);
    n.front() |= 0x80, n.back() |= 1;
    return n;
}

BnPtr number(const ByteVector& bytes) {
    return BnPtr{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
}

ByteVector padded(const BIGNUM* value, std::size_t len) {
    ByteVector bytes(len);
    EXPECT_EQ(BN_bn2binpad(value, bytes.data(), static_cast<int>(len)), static_cast<int>(len));
    return bytes;
}

/// A case with operands of its own, and OpenSSL's answer.
struct Case {
    ByteVector n, base, exponent, expected, out;
    std::unique_ptr<void, Free> form;

    Case(ByteVector modulus, ByteVector b, ByteVector e)
        : n(std::move(modulus)), base(std::move(b)), exponent(std::move(e)), out(n.size(), 0xEE) {
        const BnCtxPtr ctx{BN_CTX_new()};
        const BnPtr result{BN_new()};
        EXPECT_EQ(BN_mod_exp(result.get(), number(base).get(), number(exponent).get(), number(n).get(), ctx.get()), 1);
        expected = padded(result.get(), n.size());
        if (!takes_lanes(n)) return;
        form.reset(zeroed(kFormSize));
        prepare(n, form.get());
    }
    Job job() {
        return {static_cast<const Form*>(form.get()),
                n,
                base.data(),
                n.size(),
                exponent.data(),
                exponent.size(),
                out.data(),
                false};
    }
};

Case random_case(std::size_t bits, std::size_t exponent_len) {
    auto n = random_modulus(bits);
    auto base = random_bytes(bits / 8);
    base.front() &= 0x7F;
    return {std::move(n), std::move(base), random_bytes(exponent_len)};
}

void run_and_expect(const Row& row, std::vector<Case>& cases) {
    const std::unique_ptr<void, Free> scratch{zeroed(row.scratch_len)};
    std::vector<Job> jobs;
    for (auto& c : cases) jobs.push_back(c.job());
    row.run(jobs.data(), jobs.size(), scratch.get());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_TRUE(jobs[i].ok);
        EXPECT_EQ(cases[i].out, cases[i].expected) << row.name << ", operation " << i << " of " << cases.size();
    }
    const auto* bytes = static_cast<const std::uint8_t*>(scratch.get());
    EXPECT_TRUE(std::all_of(bytes, bytes + row.scratch_len, [](auto byte) { return byte == 0; })) << "not wiped";
}

class Modexp : public testing::TestWithParam<std::size_t> {
protected:
    template <typename F>
    void for_each_row(F&& f) {
        for (const auto& row : rows()) {
            if (row_usable(row.name, row.needs))
                f(row);
            else
                std::printf("SKIPPED: row %s: this CPU lacks what it needs\n", row.name);
        }
    }
};

TEST_P(Modexp, AllCountsWithAllLanesDifferent) {
    for_each_row([&](const Row& row) {
        for (std::size_t count = 1; count <= row.max_batch; ++count) {
            std::vector<Case> cases;
            for (std::size_t i = 0; i < count; ++i) cases.push_back(random_case(GetParam(), 1 + 7 * i));
            run_and_expect(row, cases);
        }
    });
}

TEST_P(Modexp, LongestExponents) {
    for_each_row([&](const Row& row) {
        std::vector<Case> cases;
        for (int i = 0; i < 3; ++i) cases.push_back(random_case(GetParam(), GetParam() / 8));
        run_and_expect(row, cases);
    });
}

TEST_P(Modexp, EdgeValues) {
    const auto len = GetParam() / 8;
    const auto n = random_modulus(GetParam());
    auto below = n;
    below.back() -= 1;
    ByteVector zero(len, 0), one(len, 0);
    one.back() = 1;
    const ByteVector exponents[] = {{0}, {1}, {2}, ByteVector(32, 0xFF), ByteVector(len, 0xFF), ByteVector(33, 0)};
    for_each_row([&](const Row& row) {
        for (const auto& exponent : exponents) {
            std::vector<Case> cases;
            for (const auto& base : {zero, one, below}) cases.emplace_back(n, base, exponent);
            cases.emplace_back(random_modulus(GetParam()), one, ByteVector{3});
            run_and_expect(row, cases);
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Bits, Modexp, testing::Values(2048, 3072, 4096));

TEST(ModexpShape, LanesTakeThreeSizes) {
    for (const std::size_t bits : {2048, 3072, 4096}) {
        auto n = random_modulus(bits);
        EXPECT_TRUE(takes_lanes(n));
        n.back() &= 0xFE;
        EXPECT_FALSE(takes_lanes(n));
    }
    for (const std::size_t bits : {1024, 2040, 2056, 8192}) EXPECT_FALSE(takes_lanes(random_modulus(bits)));
    EXPECT_FALSE(takes_lanes({}));
}

TEST(ModexpShape, TheReferenceTakesOthers) {
    std::vector<Case> cases;
    for (const std::size_t bits : {512, 1032, 8192}) cases.push_back(random_case(bits, 20));
    for (auto& c : cases) {
        std::vector<Case> one;
        one.push_back(std::move(c));
        run_and_expect(ref_row(), one);
    }
}

}  // namespace
}  // namespace octavo::kernel::modexp
