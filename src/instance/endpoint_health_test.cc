#include "instance/endpoint_health.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace octavo::instance {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST(EndpointHealth, RestartTakesItsTime) {
    EndpointHealth health;
    EXPECT_EQ(health.step({.restart_ns = 50 * kMs}, 1000), OCTAVO_EVENT_RESTARTING);
    EXPECT_EQ(health.step({}, 1000 + 50 * kMs - 1), std::nullopt);
    EXPECT_EQ(health.step({}, 1000 + 50 * kMs), OCTAVO_EVENT_RESTARTED);
    EXPECT_EQ(health.step({}, 1000 + 60 * kMs), std::nullopt);
}

TEST(EndpointHealth, AStuckOneComesBackWhenItGoesOn) {
    EndpointHealth health;
    EXPECT_EQ(health.step({.is_stuck = true}, 0), OCTAVO_EVENT_RESTARTING);
    EXPECT_EQ(health.step({.is_stuck = true}, 10 * EndpointHealth::kRecoveryNs), std::nullopt);
    EXPECT_EQ(health.step({}, 10 * EndpointHealth::kRecoveryNs + 1), OCTAVO_EVENT_RESTARTED);
}

/// The same in words of its own: what an observer who knows the whole past would say.
class Model {
public:
    std::optional<octavo_event> step(const Signs& s, std::uint64_t now) {
        const auto before = state_;
        if (s.restart_ns > 0 && !s.is_killed) ends_ = now + s.restart_ns;
        if (s.is_killed)
            state_ = 'd';
        else if (before == 'd' && !s.is_stuck)
            state_ = 'u';
        else if (before == 'u' && s.restart_ns > 0)
            state_ = 'r';
        else if (before == 'u' && s.is_stuck)
            state_ = 'r', ends_ = now + EndpointHealth::kRecoveryNs;
        else if (before == 'r' && now >= ends_ && !s.is_stuck)
            state_ = 'u';
        if (state_ == before) return std::nullopt;
        return state_ == 'u' ? OCTAVO_EVENT_RESTARTED : state_ == 'r' ? OCTAVO_EVENT_RESTARTING : OCTAVO_EVENT_DOWN;
    }

private:
    char state_ = 'u';
    std::uint64_t ends_ = 0;
};

TEST(EndpointHealth, AsTheModelSaysWhateverComes) {
    std::mt19937_64 random{5};
    for (int run = 0; run < 200; ++run) {
        EndpointHealth health;
        Model model;
        std::uint64_t now = 0;
        for (int i = 0; i < 500; ++i) {
            now += random() % (60 * kMs);
            const Signs signs{random() % 6 == 0, random() % 5 == 0, random() % 6 == 0 ? 1 + random() % (200 * kMs) : 0};
            ASSERT_EQ(health.step(signs, now), model.step(signs, now)) << "run " << run << ", step " << i;
        }
    }
}

}  // namespace
}  // namespace octavo::instance
