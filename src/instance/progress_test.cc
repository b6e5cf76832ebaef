#include "instance/progress.hpp"

#include <gtest/gtest.h>

namespace octavo::instance {
namespace {

constexpr std::uint64_t kMs = 1'000'000, kTimeout = 1000 * kMs;

TEST(Progress, AThreadThatSleepsInItsBatchIsStuckAfterTheTimeout) {
    Progress progress;
    const ThreadTime sleeps{false, 40 * kMs};
    EXPECT_FALSE(progress.is_stuck(5, sleeps, 10 * kTimeout, kTimeout));
    EXPECT_FALSE(progress.is_stuck(5, sleeps, 11 * kTimeout - 1, kTimeout));
    EXPECT_TRUE(progress.is_stuck(5, sleeps, 11 * kTimeout, kTimeout));
    EXPECT_FALSE(progress.is_stuck(6, sleeps, 12 * kTimeout, kTimeout)) << "between batches";
}

TEST(Progress, EveryBatchHasItsTimeout) {
    Progress progress;
    const ThreadTime sleeps{};
    for (std::uint64_t batch = 0; batch < 5; ++batch)
        EXPECT_FALSE(progress.is_stuck(2 * batch + 1, sleeps, batch * kTimeout, kTimeout));
    EXPECT_FALSE(progress.is_stuck(10, sleeps, 6 * kTimeout, kTimeout));
    EXPECT_FALSE(progress.is_stuck(10, sleeps, 60 * kTimeout, kTimeout)) << "it waits for work";
}

TEST(Progress, AThreadThatWaitsForAProcessorIsNotStuck) {
    Progress progress;
    EXPECT_FALSE(progress.is_stuck(1, {true, 500 * kMs}, 0, kTimeout));
    EXPECT_FALSE(progress.is_stuck(1, {true, 510 * kMs}, 30 * kTimeout, kTimeout));
    EXPECT_FALSE(progress.is_stuck(1, {true, 999 * kMs}, 60 * kTimeout, kTimeout));
    EXPECT_TRUE(progress.is_stuck(1, {true, 1000 * kMs}, 60 * kTimeout, kTimeout)) << "it computes without an end";
    EXPECT_TRUE(progress.is_stuck(1, {false, 510 * kMs}, 60 * kTimeout, kTimeout)) << "it waits for something else";
}

}  // namespace
}  // namespace octavo::instance
