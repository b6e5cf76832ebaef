#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/row.hpp"
#include "vectors/curve_files.hpp"

/// Third-party vectors for ECDH and ECDSA, by every row.
namespace octavo::vectors {
namespace {

namespace ec = kernel::ec;

struct Curve : CurveName {
    std::span<const ec::Row> (*rows)() noexcept;
};
constexpr Curve kCurves[] = {{{"secp256r1", 32, 256}, kernel::p256::rows},
                             {{"secp384r1", 48, 384}, kernel::p384::rows}};

/// Every row that this CPU can run takes all tests, in its largest batches.
template <typename Test, typename Run>
void by_every_row(const Curve& curve, const File<Test>& file, Run&& run) {
    ASSERT_FALSE(file.tests.empty());
    for (const ec::Row& row : curve.rows()) {
        if (!kernel::row_usable(row.name, row.needs)) {
            std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the row %s ***\n\n", row.name);
            continue;
        }
        for (std::size_t i = 0; i < file.tests.size(); i += row.max_batch)
            run(row, std::span(file.tests).subspan(i, std::min(row.max_batch, file.tests.size() - i)));
        std::printf("%-10s %4zu operations, %zu tests refused by their form\n", row.name, file.tests.size(),
                    file.num_refused);
    }
}

class EcVectors : public ::testing::TestWithParam<Curve> {
protected:
    void SetUp() override {
        const auto found = folder();
        if (!found) GTEST_SKIP() << "no third-party vectors";
        folder_ = *found;
    }
    std::string folder_;
};

TEST_P(EcVectors, Ecdh) {
    const Curve& curve = GetParam();
    const auto file = read_ecdh(folder_ + "/ecdh_" + curve.name + "_ecpoint_test.json", curve);
    by_every_row(curve, file, [&](const ec::Row& row, std::span<const DeriveTest> tests) {
        std::vector<ByteVector> shared(tests.size(), ByteVector(curve.len));
        std::vector<ec::DeriveJob> jobs;
        for (std::size_t i = 0; i < tests.size(); ++i)
            jobs.push_back(
                {tests[i].scalar.data(), tests[i].peer.x.data(), tests[i].peer.y.data(), shared[i].data(), false});
        row.derive(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < tests.size(); ++i) {
            EXPECT_EQ(jobs[i].ok, tests[i].valid) << tests[i].where;
            if (tests[i].valid) {
                EXPECT_EQ(shared[i], tests[i].shared) << tests[i].where;
            }
        }
    });
}

TEST_P(EcVectors, Ecdsa) {
    const Curve& curve = GetParam();
    const std::string hash = curve.len == 32 ? "sha256" : "sha384";
    const auto file = read_ecdsa(folder_ + "/ecdsa_" + curve.name + "_" + hash + "_test.json", curve);
    by_every_row(curve, file, [&](const ec::Row& row, std::span<const VerifyTest> tests) {
        std::vector<ec::VerifyJob> jobs;
        for (const VerifyTest& t : tests)
            jobs.push_back({t.digest.data(), t.r.data(), t.s.data(), t.key.x.data(), t.key.y.data(), false});
        row.verify(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < tests.size(); ++i) EXPECT_EQ(jobs[i].ok, tests[i].valid) << tests[i].where;
    });
}

INSTANTIATE_TEST_SUITE_P(Wycheproof, EcVectors, ::testing::ValuesIn(kCurves),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace octavo::vectors
