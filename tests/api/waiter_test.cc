// octavo_instance_waiter_computes(): where an engine thread would bring nothing, jobs do without.
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "support.hpp"
#include "support/engine_threads.hpp"
#include "support/pinned.hpp"
#include "support/polling_settings.hpp"

namespace octavo::test {
namespace {

using api_test::Buffer;

std::uint32_t computes(const octavo::Instance& instance, const octavo::Key& key, octavo_operation operation) {
    std::uint32_t answer = 99;
    EXPECT_EQ(octavo_instance_waiter_computes(instance.handle(), key.handle(), operation, &answer), OCTAVO_OK)
        << octavo_error_text();
    return answer;
}

/// Of a key that the portable row alone takes: with a second core to itself, an engine thread would compute a request meanwhile.
class Waiter : public testing::Test {
protected:
    static octavo_request submit(const octavo::Instance& instance, const octavo::Key& key) {
        const Buffer input(64, 1);
        const auto submission = api_test::plain_submission(key, OCTAVO_RSA_PUBLIC, input);
        octavo_request request{};
        EXPECT_GE(octavo_submit(instance.handle(), &submission, &request), OCTAVO_OK) << octavo_error_text();
        return request;
    }
    /// As a job does whose waiter computes.
    static void submit_and_wait(const octavo::Instance& instance, const octavo::Key& key) {
        Buffer output(64);
        const auto request = submit(instance, key);
        ASSERT_EQ(octavo_wait(instance.handle(), request, UINT64_MAX), OCTAVO_OK);
        ASSERT_EQ(octavo_result(instance.handle(), request, output.data(), output.size(), nullptr), OCTAVO_OK);
    }
    std::uint32_t computes(const octavo::Instance& instance) const {
        return test::computes(instance, key_, OCTAVO_RSA_PUBLIC);
    }
    /// With another request in flight.
    std::uint32_t computes_in_company(const octavo::Instance& instance) const {
        const auto other = submit(instance, key_);
        const auto answer = computes(instance);
        EXPECT_EQ(octavo_cancel(instance.handle(), other), OCTAVO_OK);
        return answer;
    }

    const octavo::Key key_ = api_test::make_key(api_test::shared_parts(512));
};

TEST_F(Waiter, ComputesOnOneCoreUntilThereIsAnEngineThread) {
    const Pinned pinned;
    const auto instance = api_test::make_instance();
    EXPECT_EQ(computes_in_company(instance), 1U);
    int fd = -1;
    ASSERT_EQ(octavo_instance_fd(instance.handle(), &fd), OCTAVO_OK);
    EXPECT_EQ(computes(instance), 0U);
}

TEST_F(Waiter, LeavesItToAnEngineThreadOnSeveralCoresOnceRequestsOverlap) {
    if (num_cores() == 1) GTEST_SKIP() << "NOT TESTED: threads on several cores, this process may use one alone";
    const auto instance = api_test::make_instance();
    EXPECT_EQ(computes(instance), 1U);
    EXPECT_EQ(computes_in_company(instance), 0U);
}

TEST_F(Waiter, ComputesWhatIsDoneBeforeAThreadWouldBeAwake) {
    if (!api_test::has_lanes()) GTEST_SKIP() << api_test::kNoLanes;
    const auto instance = api_test::make_instance();
    const auto other = submit(instance, key_);
    for (const auto curve : {OCTAVO_CURVE_P256, OCTAVO_CURVE_X25519, OCTAVO_CURVE_ED25519})
        EXPECT_EQ(test::computes(instance, api_test::curve_key(curve), OCTAVO_EC_GENERATE), 1U) << curve;
    EXPECT_EQ(octavo_cancel(instance.handle(), other), OCTAVO_OK);
}

TEST_F(Waiter, ComputesABatchOfItsOwn) {
    if (!api_test::has_lanes()) GTEST_SKIP() << api_test::kNoLanes;
    if (num_cores() == 1) GTEST_SKIP() << "NOT TESTED: threads on several cores, this process may use one alone";
    constexpr std::size_t kBatch = 8;  // of private operations
    const auto key = api_test::make_key(api_test::shared_parts(2048));
    const auto instance = api_test::make_instance();
    const Buffer input(256, 1);
    std::vector<octavo_request> others(kBatch);
    for (auto& other : others) {
        EXPECT_EQ(test::computes(instance, key, OCTAVO_RSA_PRIVATE), 1U);
        const auto submission = api_test::plain_submission(key, OCTAVO_RSA_PRIVATE, input);
        ASSERT_EQ(octavo_submit(instance.handle(), &submission, &other), OCTAVO_PENDING) << octavo_error_text();
    }
    EXPECT_EQ(test::computes(instance, key, OCTAVO_RSA_PRIVATE), 0U);
    for (const auto& other : others) EXPECT_EQ(octavo_cancel(instance.handle(), other), OCTAVO_OK);
}

TEST_F(Waiter, FollowsADriverThatIsGiven) {
    const Pinned pinned;
    EXPECT_EQ(computes(api_test::make_instance(octavo::Driver::in_line)), 0U) << "its owner polls";
    EXPECT_EQ(computes(api_test::make_instance(octavo::Driver::threads)), 0U);
}

TEST_F(Waiter, LooksAtTheCoresOnceAndAgainAfterAFork) {
    if (num_cores() == 1) GTEST_SKIP() << "NOT TESTED: threads on several cores, this process may use one alone";
    const auto instance = api_test::make_instance();
    {
        const Pinned pinned;
        EXPECT_EQ(computes_in_company(instance), 1U);
    }
    EXPECT_EQ(computes_in_company(instance), 1U);
    const auto child = fork();
    if (child == 0) _exit(static_cast<int>(computes_in_company(instance)));
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the child may run on several cores";
}

TEST_F(Waiter, IsToldWhatTheKeyCannotDo) {
    const auto instance = api_test::make_instance();
    std::uint32_t answer = 99;
    EXPECT_TRUE(
        api_test::refused(octavo_instance_waiter_computes(instance.handle(), key_.handle(), OCTAVO_ECDSA_SIGN, &answer),
                          {OCTAVO_ERR_BAD_ARGUMENT}, "operation"));
    EXPECT_EQ(answer, 0U);
    EXPECT_TRUE(api_test::refused(octavo_instance_waiter_computes(instance.handle(), {0}, OCTAVO_RSA_PUBLIC, &answer),
                                  {OCTAVO_ERR_BAD_HANDLE}, "key"));
}

TEST_F(Waiter, ThatIsAloneComputesInPlace) {
    const Pinned pinned;
    const auto asked = api_test::make_instance(), not_asked = api_test::make_instance();
    EXPECT_EQ(computes(asked), 1U);
    for (int i = 0; i < 40; ++i) {
        submit_and_wait(asked, key_);
        submit_and_wait(not_asked, key_);
    }
    EXPECT_GT(api_test::statistics_of(asked.handle()).in_place, 0U);
    EXPECT_EQ(api_test::statistics_of(not_asked.handle()).in_place, 0U) << "an inline instance that its owner polls";
}

}  // namespace
}  // namespace octavo::test
