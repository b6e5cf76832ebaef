#include "support.hpp"

/// octavo_consult(): whether a front end should do an operation itself.
namespace {

using api_test::make_instance;
using api_test::names;
using api_test::statistics_of;
using octavo::Driver;

/// Submits one request with a wake-up, and waits for it.
void hand_over(octavo_instance instance, octavo_key key) {
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = key;
    submission.operation = OCTAVO_EC_GENERATE;
    submission.wakeup.call = [](void*) {};
    octavo_request request{};
    ASSERT_GE(octavo_submit(instance, &submission, &request), OCTAVO_OK) << octavo_error_text();
    ASSERT_EQ(octavo_wait(instance, request, UINT64_MAX), OCTAVO_OK);
    std::uint8_t output[256];
    std::size_t len = 0;
    ASSERT_EQ(octavo_result(instance, request, output, sizeof output, &len), OCTAVO_OK);
}

octavo_status will_wait(octavo_instance instance, octavo_key key) {
    return octavo_consult(instance, key, OCTAVO_EC_GENERATE, 1);
}

// P-521 has no lanes anywhere: the answers below are the same on every CPU.

TEST(Consult, ALoneSubmitterIsToldToDoItItselfAndNowAndThenToSubmit) {
    const auto instance = make_instance(Driver::threads);
    const auto key = api_test::curve_key(OCTAVO_CURVE_P521);
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(will_wait(instance.handle(), key.handle()), OCTAVO_OK) << "it has yet to prove that it is alone";
        hand_over(instance.handle(), key.handle());
    }
    int num_own = 0, num_given = 0;
    for (int i = 0; i < 600; ++i) {
        const auto answer = will_wait(instance.handle(), key.handle());
        if (answer == OCTAVO_OK) hand_over(instance.handle(), key.handle());
        ++(answer == OCTAVO_OK ? num_given : num_own);
    }
    EXPECT_GT(num_own, 400);
    EXPECT_GT(num_given, 1) << "nobody would ever notice company";
    const auto s = statistics_of(instance.handle());
    EXPECT_EQ(s.fallback[OCTAVO_FALLBACK_CURVE], 604U);
    EXPECT_EQ(s.submitted, 604U);
    EXPECT_TRUE(api_test::adds_up(s));
}

TEST(Consult, WithCompanyEveryRequestIsWanted) {
    const auto instance = make_instance(Driver::threads);
    const auto key = api_test::curve_key(OCTAVO_CURVE_P521);
    for (int i = 0; i < 8; ++i) hand_over(instance.handle(), key.handle());
    while (will_wait(instance.handle(), key.handle()) != OCTAVO_OK) {
    }
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = key.handle();
    submission.operation = OCTAVO_EC_GENERATE;
    octavo_request request{};
    ASSERT_EQ(octavo_submit(instance.handle(), &submission, &request), OCTAVO_PENDING);
    for (int i = 0; i < 300; ++i) ASSERT_EQ(will_wait(instance.handle(), key.handle()), OCTAVO_OK);
    ASSERT_EQ(octavo_cancel(instance.handle(), request), OCTAVO_OK);
}

TEST(Consult, AnInstanceThatIsPolledWantsWhatCanWait) {
    const auto instance = make_instance(Driver::in_line);
    const auto key = api_test::curve_key(OCTAVO_CURVE_P521);
    for (int i = 0; i < 300; ++i) ASSERT_EQ(will_wait(instance.handle(), key.handle()), OCTAVO_OK);
    EXPECT_EQ(octavo_consult(instance.handle(), key.handle(), OCTAVO_EC_GENERATE, 0), OCTAVO_PORTABLE);
}

/// Synchronously: where lanes are faster even for one, and nowhere else.
TEST(Consult, ExecutionIsWorthItWhereLanesNeedNoCompany) {
    auto instance = make_instance(Driver::in_line);
    const auto of = [&](octavo_curve curve, octavo_operation operation) {
        return octavo_consult(instance.handle(), api_test::curve_key(curve).handle(), operation, 0);
    };
    EXPECT_EQ(of(OCTAVO_CURVE_P256, OCTAVO_ECDSA_SIGN), OCTAVO_PORTABLE);
    EXPECT_EQ(of(OCTAVO_CURVE_X25519, OCTAVO_ECDH_DERIVE), OCTAVO_PORTABLE);
    EXPECT_EQ(of(OCTAVO_CURVE_P521, OCTAVO_ECDSA_VERIFY), OCTAVO_PORTABLE);
    if (statistics_of(instance.handle()).fallback[OCTAVO_FALLBACK_CPU] != 0) GTEST_SKIP() << "no lane row on this CPU";
    EXPECT_EQ(statistics_of(instance.handle()).fallback[OCTAVO_FALLBACK_ALONE], 2U);
    EXPECT_EQ(of(OCTAVO_CURVE_P384, OCTAVO_ECDSA_SIGN), OCTAVO_OK);
    EXPECT_EQ(of(OCTAVO_CURVE_P384, OCTAVO_ECDSA_VERIFY), OCTAVO_OK);
    EXPECT_EQ(of(OCTAVO_CURVE_X25519, OCTAVO_EC_GENERATE), OCTAVO_OK);
    EXPECT_EQ(of(OCTAVO_CURVE_ED25519, OCTAVO_EDDSA_SIGN), OCTAVO_OK);
}

TEST(Consult, NamesWhatIsWrong) {
    const auto instance = make_instance();
    const auto key = api_test::curve_key(OCTAVO_CURVE_P256);
    EXPECT_EQ(octavo_consult({0}, key.handle(), OCTAVO_ECDSA_SIGN, 0), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_TRUE(names(octavo_error_text(), "instance"));
    EXPECT_EQ(octavo_consult(instance.handle(), {0}, OCTAVO_ECDSA_SIGN, 0), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_TRUE(names(octavo_error_text(), "key"));
    EXPECT_EQ(octavo_consult(instance.handle(), key.handle(), OCTAVO_RSA_PRIVATE, 0), OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_TRUE(names(octavo_error_text(), "operation"));
}

}  // namespace
