#include "device/cost.hpp"

#include <gtest/gtest.h>

#include "kernel/rsa/rsa.hpp"

namespace octavo::device {
namespace {

using request::Class;

class Cost : public ::testing::Test {
protected:
    void SetUp() override {
        if (kernel::rsa::lane_row() == nullptr)
            GTEST_SKIP() << "SKIPPED: no lane row on this CPU, so there is no plan to choose";
    }
    CostTable costs;
};

TEST_F(Cost, OneGoesScalarAndManyGoInFullPasses) {
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 1), 0U);
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 3), 3U);
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 5), 4U) << "the fifth would pay for a pass alone";
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 8), 8U);
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 100), 8U);
}

TEST_F(Cost, WhereLanesBeatThePortableRowOneGoesToThem) { EXPECT_EQ(costs.plan(Class::rsa4096_private, 1), 1U); }

TEST_F(Cost, GivenFiguresReplaceBuiltInOnes) {
    CostFigures given;
    given[request::index(Class::rsa2048_private)] = device::Cost{100'000, 900'000, 900'000};
    given[request::index(Class::rsa4096_private)] = device::Cost{3'000'000, 3'000'001, 1'000'000};
    const CostTable table(&given);
    EXPECT_EQ(table.plan(Class::rsa2048_private, 8), 0U) << "a pass of four costs nine operations";
    EXPECT_EQ(table.plan(Class::rsa4096_private, 1), 0U);
    EXPECT_EQ(table.plan(Class::rsa4096_private, 8), 8U);
    EXPECT_EQ(table.alone_ns(Class::rsa4096_private), 3'000'000U);
    EXPECT_EQ(table.plan(Class::rsa3072_private, 8), costs.plan(Class::rsa3072_private, 8)) << "not given";
}

TEST_F(Cost, LearnsFromWhatRan) {
    for (int i = 0; i < 100; ++i) costs.observe(Class::rsa2048_private, 4, 5'000'000);
    for (int i = 0; i < 100; ++i) costs.observe(Class::rsa2048_private, 8, 10'000'000);
    for (int i = 0; i < 100; ++i) costs.observe(Class::rsa2048_private, 0, 100'000);
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 8), 0U) << "lanes cost 1.25 ms each, the portable row 0.1 ms";
    EXPECT_NEAR(static_cast<double>(costs.alone_ns(Class::rsa2048_private)), 100'000, 1'000);
}

TEST_F(Cost, OnePreemptedRunChangesNothing) {
    for (int i = 0; i < 100; ++i) costs.observe(Class::rsa2048_private, 0, 300'000);
    const auto before = costs.alone_ns(Class::rsa2048_private);
    costs.observe(Class::rsa2048_private, 0, 100'000'000);
    EXPECT_LT(costs.alone_ns(Class::rsa2048_private), before + before / 32);
}

TEST_F(Cost, ASlowMachineIsSlowOnBothRowsUntilSeen) {
    for (int i = 0; i < 1000; ++i) costs.observe(Class::rsa2048_private, 0, 3'000'000);
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 1), 0U);
    EXPECT_EQ(costs.plan(Class::rsa2048_private, 4), 4U)
        << "ten times slower than the reference, in the same proportion";
}

}  // namespace
}  // namespace octavo::device
