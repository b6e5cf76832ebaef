// octavo_instance_waiter_computes(): where a thread may run on one core only, jobs do without an engine thread.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support.hpp"
#include "support/engine_threads.hpp"
#include "support/pinned.hpp"
#include "support/polling_settings.hpp"

namespace octavo::test {
namespace {

using api_test::Buffer;

std::uint32_t computes(octavo_instance instance) {
    std::uint32_t answer = 99;
    EXPECT_EQ(octavo_instance_waiter_computes(instance, &answer), OCTAVO_OK) << octavo_error_text();
    return answer;
}

/// Submits, and waits for it, as a job does whose waiter computes.
void submit_and_wait(octavo_instance instance, const octavo::Key& key) {
    const Buffer input(64, 1);
    Buffer output(64);
    const auto submission = api_test::plain_submission(key, OCTAVO_RSA_PUBLIC, input);
    octavo_request request{};
    ASSERT_GE(octavo_submit(instance, &submission, &request), OCTAVO_OK) << octavo_error_text();
    ASSERT_EQ(octavo_wait(instance, request, UINT64_MAX), OCTAVO_OK);
    ASSERT_EQ(octavo_result(instance, request, output.data(), output.size(), nullptr), OCTAVO_OK);
}

TEST(Waiter, ComputesOnOneCoreUntilThereIsAnEngineThread) {
    const Pinned pinned;
    const auto instance = api_test::make_instance();
    EXPECT_EQ(computes(instance.handle()), 1U);
    int fd = -1;
    ASSERT_EQ(octavo_instance_fd(instance.handle(), &fd), OCTAVO_OK);
    EXPECT_EQ(computes(instance.handle()), 0U);
}

TEST(Waiter, LeavesItToAnEngineThreadOnSeveralCores) {
    if (num_cores() == 1) GTEST_SKIP() << "NOT TESTED: threads on several cores, this process may use one alone";
    const auto instance = api_test::make_instance();
    EXPECT_EQ(computes(instance.handle()), 0U);
}

TEST(Waiter, FollowsADriverThatIsGiven) {
    const Pinned pinned;
    EXPECT_EQ(computes(api_test::make_instance(octavo::Driver::in_line).handle()), 0U) << "its owner polls";
    EXPECT_EQ(computes(api_test::make_instance(octavo::Driver::threads).handle()), 0U);
}

TEST(Waiter, IsLookedAtOnceAndAgainAfterAFork) {
    if (num_cores() == 1) GTEST_SKIP() << "NOT TESTED: threads on several cores, this process may use one alone";
    const auto instance = api_test::make_instance();
    {
        const Pinned pinned;
        EXPECT_EQ(computes(instance.handle()), 1U);
    }
    EXPECT_EQ(computes(instance.handle()), 1U);
    const auto child = fork();
    if (child == 0) _exit(static_cast<int>(computes(instance.handle())));
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the child may run on several cores";
}

TEST(Waiter, ThatIsAloneComputesInPlace) {
    const Pinned pinned;
    const auto key = api_test::make_key(api_test::shared_parts(512));
    const auto asked = api_test::make_instance(), not_asked = api_test::make_instance();
    EXPECT_EQ(computes(asked.handle()), 1U);
    for (int i = 0; i < 40; ++i) {
        submit_and_wait(asked.handle(), key);
        submit_and_wait(not_asked.handle(), key);
    }
    EXPECT_GT(api_test::statistics_of(asked.handle()).in_place, 0U);
    EXPECT_EQ(api_test::statistics_of(not_asked.handle()).in_place, 0U) << "an inline instance that its owner polls";
}

}  // namespace
}  // namespace octavo::test
