#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "support.hpp"

/// The same library without the lane rows: OCTAVO_DISABLE_CPU is read once, so each setting needs a process of its own.

namespace api_test {
namespace {

using octavo::Operation;

/// Runs this program again with OCTAVO_DISABLE_CPU=`features` and only the test `DISABLED_Inner.*`.
int run_again(const char* features) {
    const auto child = fork();
    if (child == 0) {
        setenv("OCTAVO_DISABLE_CPU", features, 1);
        execl("/proc/self/exe", "api_cpu_test", "--gtest_filter=DISABLED_Inner.*", "--gtest_also_run_disabled_tests",
              "--gtest_brief=1", static_cast<char*>(nullptr));
        _exit(127);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Cpu, WithoutIfma) { EXPECT_EQ(run_again("avx512ifma"), 0); }
TEST(Cpu, WithoutAnyAvx512) { EXPECT_EQ(run_again("avx512f, avx512ifma,avx512bw,avx512vl,avx512dq,avx512vbmi2"), 0); }
TEST(Cpu, WithoutAnything) { EXPECT_EQ(run_again("avx2,bmi2,adx,avx512f,avx512ifma"), 0); }

/// The tests above run it, in processes of their own.
TEST(DISABLED_Inner, EverythingRunsOnThePortableRowAndIsCounted) {
    for (const auto driver : kAllDrivers) {
        auto instance = make_instance(driver);
        for (const int bits : {2048, 3072}) {
            const auto& parts = shared_parts(bits);
            const auto key = make_key(parts);
            const auto plain = random_below(parts.n);
            const auto raised = mod_exp(plain, parts.e, parts.n);
            std::vector<octavo::Request> requests;
            for (int i = 0; i < 16; ++i) requests.push_back(*instance.submit(key, Operation::rsa_private, raised));
            for (auto& request : requests) {
                Buffer output(plain.size());
                ASSERT_EQ(request.wait(), octavo::Status::ok);
                ASSERT_TRUE(request.result(output));
                EXPECT_EQ(output, plain);
            }
        }
        const auto s = statistics_of(instance.handle());
        EXPECT_EQ(s.lane_requests, 0U);
        EXPECT_EQ(s.fallback[OCTAVO_FALLBACK_CPU], 32U);
        EXPECT_TRUE(adds_up(s));
    }
}

}  // namespace
}  // namespace api_test
