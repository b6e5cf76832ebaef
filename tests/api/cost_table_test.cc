// The configuration's cost table, as far as the device: it decides between the portable row and lanes.
#include <octavo/octavo.h>

#include "config/config_test_files.hpp"
#include "support.hpp"

namespace api_test {
namespace {

using octavo::config::section_text;
using octavo::config::TestFolder;

constexpr std::size_t kRequests = 8;

/// A process's section with this cost table, for as long as it lives.
class CostSection {
public:
    explicit CostSection(const std::string& table) {
        folder_.write("octavo_dev0.conf",
                      "[GENERAL]\nDriver = inline\nCostTable = " + table + "\n" + section_text("SSL", 1, true, 1));
        setenv("OCTAVO_CONFIG_DIR", folder_.path().c_str(), 1);
        setenv("OCTAVO_RUN_DIR", folder_.path().c_str(), 1);
        EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_OK) << octavo_error_text();
    }
    CostSection(const CostSection&) = delete;
    CostSection& operator=(const CostSection&) = delete;
    ~CostSection() {
        octavo_section_stop();
        unsetenv("OCTAVO_CONFIG_DIR");
        unsetenv("OCTAVO_RUN_DIR");
    }

private:
    TestFolder folder_;
};

/// How many of kRequests private operations, waiting together, went to lanes.
std::uint64_t in_lanes() {
    octavo_instance instance{};
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
    const auto& parts = shared_parts(2048);
    const auto key = make_key(parts);
    const auto before = statistics_of(instance);
    std::size_t done = 0;
    for (std::size_t i = 0; i < kRequests; ++i) {
        const auto input = random_below(parts.n);
        auto submission = plain_submission(key, OCTAVO_RSA_PRIVATE, input);
        submission.callback_argument = &done;
        submission.callback = [](void* argument, auto...) { ++*static_cast<std::size_t*>(argument); };
        EXPECT_EQ(octavo_submit(instance, &submission, nullptr), OCTAVO_PENDING) << octavo_error_text();
    }
    EXPECT_TRUE(poll_until(instance, [&] { return done == kRequests; }));
    const auto after = statistics_of(instance);
    EXPECT_EQ(after.completed - before.completed, kRequests);
    return after.lane_requests - before.lane_requests;
}

TEST(CostTable, DearLanesAreLeftAlone) {
    const CostSection section("rsa2048-private:1/1000000000/1000000000");
    EXPECT_EQ(in_lanes(), 0U);
}

TEST(CostTable, CheapLanesAreTaken) {
    if (!has_lanes()) GTEST_SKIP() << kNoLanes;
    const CostSection section("rsa2048-private:1000000000/1000/1000");
    EXPECT_EQ(in_lanes(), kRequests);
}

}  // namespace
}  // namespace api_test
