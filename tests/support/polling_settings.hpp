#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "octavo/octavo.h"
#include "support/pinned.hpp"

/// The polling modes by the drivers, and what an application does for its part in each.
namespace octavo::test {

struct PollingSetting {
    octavo_polling_mode mode;
    octavo_driver driver;
    bool is_pinned = false;  ///< all threads on one core

    /// By one octavo_polling_poll() for all instances.
    bool is_external() const { return mode == OCTAVO_POLLING_EXTERNAL || mode == OCTAVO_POLLING_HEURISTIC; }
    /// By the octavo_poll() of each thread.
    bool is_polled_by_thread() const { return mode == OCTAVO_POLLING_DEFAULT && driver == OCTAVO_DRIVER_INLINE; }
    /// Nobody computes what jobs wait for but the application, when it polls.
    bool waits_for_a_poll() const { return is_polled_by_thread() || (is_external() && driver == OCTAVO_DRIVER_INLINE); }
    /// Whether a job that was resumed computes what has gathered, however long that takes.
    bool waiter_computes() const {
        const bool goes_without_engine = driver == OCTAVO_DRIVER_AUTO && (is_pinned || num_cores() == 1);
        return mode == OCTAVO_POLLING_INLINE || (mode == OCTAVO_POLLING_DEFAULT && goes_without_engine);
    }
    /// Whether an engine thread computes once several jobs have submitted what takes long.
    bool has_engine() const {
        return driver == OCTAVO_DRIVER_THREADS || (driver == OCTAVO_DRIVER_AUTO && !waiter_computes());
    }
};

inline std::string name_of(const PollingSetting& setting) {
    constexpr const char* modes[] = {"default", "timer", "event", "external", "heuristic", "inline"};
    constexpr const char* drivers[] = {"", "_inline", "_threads"};
    return std::string{modes[setting.mode]} + drivers[setting.driver] + (setting.is_pinned ? "_pinned" : "");
}
inline std::string test_name(const testing::TestParamInfo<PollingSetting>& setting) { return name_of(setting.param); }
inline std::ostream& operator<<(std::ostream& out, const PollingSetting& setting) { return out << name_of(setting); }

/// By default the driver may be left open, too.
inline constexpr PollingSetting kPollingSettings[] = {
    {OCTAVO_POLLING_DEFAULT, OCTAVO_DRIVER_AUTO},     {OCTAVO_POLLING_DEFAULT, OCTAVO_DRIVER_AUTO, true},
    {OCTAVO_POLLING_DEFAULT, OCTAVO_DRIVER_INLINE},   {OCTAVO_POLLING_DEFAULT, OCTAVO_DRIVER_THREADS},
    {OCTAVO_POLLING_TIMER, OCTAVO_DRIVER_INLINE},     {OCTAVO_POLLING_TIMER, OCTAVO_DRIVER_THREADS},
    {OCTAVO_POLLING_EVENT, OCTAVO_DRIVER_INLINE},     {OCTAVO_POLLING_EVENT, OCTAVO_DRIVER_THREADS},
    {OCTAVO_POLLING_EXTERNAL, OCTAVO_DRIVER_INLINE},  {OCTAVO_POLLING_EXTERNAL, OCTAVO_DRIVER_THREADS},
    {OCTAVO_POLLING_HEURISTIC, OCTAVO_DRIVER_INLINE}, {OCTAVO_POLLING_HEURISTIC, OCTAVO_DRIVER_THREADS},
    {OCTAVO_POLLING_INLINE, OCTAVO_DRIVER_INLINE},    {OCTAVO_POLLING_INLINE, OCTAVO_DRIVER_THREADS},
};
inline std::vector<PollingSetting> settings_that(bool (*wanted)(const PollingSetting&)) {
    std::vector<PollingSetting> some;
    std::copy_if(std::begin(kPollingSettings), std::end(kPollingSettings), std::back_inserter(some), wanted);
    return some;
}

inline octavo_instance thread_instance() {
    octavo_instance instance{};
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK) << octavo_error_text();
    return instance;
}

/// Asymmetric requests, of all threads.
inline std::int32_t num_in_flight() {
    const volatile std::int32_t* count = nullptr;
    EXPECT_EQ(octavo_polling_in_flight(OCTAVO_IN_FLIGHT_ASYMMETRIC, &count), OCTAVO_OK);
    return *count;
}

/// Each test has the process set so, and leaves it in the default mode.
class PollingTest : public testing::TestWithParam<PollingSetting> {
protected:
    void SetUp() override {
        if (GetParam().is_pinned) pinned_.emplace();
        octavo_polling_reset();
        octavo_polling settings{};
        settings.size = sizeof settings;
        settings.mode = GetParam().mode;
        settings.driver = GetParam().driver;
        ASSERT_EQ(octavo_polling_set(&settings), OCTAVO_OK) << octavo_error_text();
    }
    void TearDown() override {
        EXPECT_EQ(num_in_flight(), 0);
        octavo_polling_reset();
    }

    /// A thread of its own, as the instance is the thread's. By default the driver is the thread's to choose, too.
    template <typename Body>
    static std::thread thread(Body&& body) {
        return std::thread([body = std::forward<Body>(body)] {
            octavo_instance_config config{};
            config.size = sizeof config;
            config.driver = GetParam().driver;
            config.ring_size = 1024;
            if (GetParam().mode == OCTAVO_POLLING_DEFAULT && config.driver != OCTAVO_DRIVER_AUTO) {
                ASSERT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK) << octavo_error_text();
            }
            body();
        });
    }
    template <typename Body>
    static void in_thread(Body&& body) {
        thread(std::forward<Body>(body)).join();
    }

    /// What the application does for its part: whether it is its part.
    static bool poll_as_the_mode_wants() {
        if (GetParam().is_polled_by_thread()) {
            EXPECT_EQ(octavo_poll(thread_instance(), SIZE_MAX, nullptr), OCTAVO_OK) << octavo_error_text();
            return true;
        }
        if (!GetParam().is_external()) return false;
        if (GetParam().mode == OCTAVO_POLLING_HEURISTIC && num_in_flight() == 0) return true;
        EXPECT_EQ(octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr), OCTAVO_OK) << octavo_error_text();
        return true;
    }

private:
    std::optional<Pinned> pinned_;
};

}  // namespace octavo::test
