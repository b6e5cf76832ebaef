#include "instance/alone.hpp"

#include <gtest/gtest.h>

namespace octavo::instance {
namespace {

/// A submitter with one stream: the share of its requests that were computed in place.
std::size_t in_place_of(Alone& alone, std::size_t requests, std::uint64_t cost_ns) {
    std::size_t in_place = 0;
    for (std::size_t i = 0; i < requests; ++i) {
        if (alone.on_submit(0)) {
            ++in_place;
            alone.on_in_place(cost_ns);
        } else {
            alone.on_idle(cost_ns + 8'000);
        }
    }
    return in_place;
}

TEST(Alone, IsProvedByAFewRequestsAndThenComputesInPlace) {
    Alone alone;
    EXPECT_EQ(in_place_of(alone, 4, 300'000), 0U);
    EXPECT_GE(in_place_of(alone, 100, 300'000), 70U);
}

TEST(Alone, ProbesOfShortOperationsAreRare) {
    Alone alone;
    EXPECT_GE(in_place_of(alone, 10'000, 20'000), 9'700U) << "probes may cost about one part in a hundred";
}

TEST(Alone, CompanyEndsItAtOnceAndSolitudeBringsItBack) {
    Alone alone;
    in_place_of(alone, 100, 300'000);
    while (alone.on_submit(0)) alone.on_in_place(300'000);  // a probe is under way, and another request comes
    EXPECT_FALSE(alone.on_submit(1));
    alone.on_idle(700'000);
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(alone.on_submit(0)) << "four more requests without company are wanted";
        alone.on_idle(300'000);
    }
    EXPECT_TRUE(alone.on_submit(0));
}

TEST(Alone, WhoAsksFirstIsAnsweredAsWhoSubmits) {
    Alone alone;
    EXPECT_FALSE(alone.on_consult(0)) << "it has proved nothing yet";
    in_place_of(alone, 100, 300'000);
    EXPECT_FALSE(alone.on_consult(1));
    std::size_t own = 0;
    for (int round = 0; round < 10; ++round) {
        while (alone.on_consult(0)) ++own;
        EXPECT_FALSE(alone.on_submit(0)) << "the request that asked is the probe";
        alone.on_idle(308'000);
    }
    EXPECT_GE(own, 30U);
}

TEST(Alone, CompanyIsNoticedWithinAFewLongOperations) {
    Alone alone;
    in_place_of(alone, 100, 300'000);
    EXPECT_LE(alone.probe_interval(), 8U);
}

}  // namespace
}  // namespace octavo::instance
