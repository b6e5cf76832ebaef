#include "health.hpp"

#include <sys/eventfd.h>
#include <sys/wait.h>

#include <atomic>

#include "sanitizers.hpp"

/// Endpoints that go away, hang, fail or are slow: what becomes of requests in flight and of new ones.

namespace api_test {
namespace {

[[maybe_unused]] const bool allowed = (allow_faults(), true);

INSTANTIATE_TEST_SUITE_P(Drivers, Health, testing::ValuesIn(kAllDrivers), driver_name);

/// An inline instance wakes nobody.
class HealthWake : public Health {};
INSTANTIATE_TEST_SUITE_P(Drivers, HealthWake, testing::Values(Driver::threads, Driver::automatic), driver_name);

TEST_P(Health, KilledWhileRequestsAreInFlight) {
    ASSERT_TRUE(inject({.kind = FaultKind::delay, .value = kHour}));
    submit(20);
    size_t reaped = 1;
    ASSERT_EQ(octavo_poll(instance_.handle(), 100, &reaped), OCTAVO_OK);
    ASSERT_EQ(reaped, 0U);
    Events events;
    ASSERT_TRUE(inject({.kind = FaultKind::kill}));
    EXPECT_EQ(state_of(instance_), OCTAVO_ENDPOINT_DOWN);
    drain();
    EXPECT_TRUE(all_right());
    EXPECT_EQ(statistics_of(instance_.handle()).fallback[OCTAVO_FALLBACK_ENDPOINT], 20U);
    EXPECT_TRUE(events.wait({OCTAVO_EVENT_DOWN}));
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

TEST_P(Health, NewRequestsGoElsewhereUntilItIsBack) {
    Events events;
    ASSERT_TRUE(inject({.kind = FaultKind::kill}));
    submit(10);
    drain();
    Buffer output(expected_.size());
    EXPECT_EQ(instance_.execute(key_, Operation::rsa_private, input_, output).status(), octavo::Status::ok);
    EXPECT_EQ(output, expected_);
    EXPECT_EQ(statistics_of(instance_.handle()).fallback[OCTAVO_FALLBACK_ENDPOINT], 11U);
    EXPECT_FALSE(is_alive());
    ASSERT_TRUE(clear_faults());
    ASSERT_TRUE(events.wait({OCTAVO_EVENT_DOWN, OCTAVO_EVENT_RESTARTED}));
    EXPECT_EQ(state_of(instance_), OCTAVO_ENDPOINT_UP);
    EXPECT_TRUE(is_alive());
    submit(10);
    drain();
    EXPECT_TRUE(all_right());
    EXPECT_EQ(statistics_of(instance_.handle()).fallback[OCTAVO_FALLBACK_ENDPOINT], 11U) << "it computes again";
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

TEST_P(Health, RestartsAndComesBackByItself) {
    Events events;
    ASSERT_TRUE(inject({.kind = FaultKind::restart, .value = 50'000'000}));
    EXPECT_EQ(state_of(instance_), OCTAVO_ENDPOINT_RESTARTING);
    submit(5);
    drain();
    EXPECT_TRUE(all_right());
    EXPECT_TRUE(events.wait({OCTAVO_EVENT_RESTARTING, OCTAVO_EVENT_RESTARTED}));
}

/// An engine thread hangs in the middle of a batch; an inline device takes requests and does not answer. Nobody helps.
TEST_P(Health, AHangIsNoticed) {
    Events events;
    ASSERT_TRUE(inject({.kind = FaultKind::hang}));
    submit(20);
    drain();
    EXPECT_TRUE(all_right());
    EXPECT_TRUE(events.wait({OCTAVO_EVENT_RESTARTING, OCTAVO_EVENT_RESTARTED}));
    const auto done = seen_.size();
    submit(20);
    drain();
    EXPECT_EQ(seen_.size(), done + 20);
    EXPECT_TRUE(all_right());
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

TEST_P(Health, SlotsOfAHungBatchAreNotUsedAgainTooEarly) {
    ASSERT_TRUE(inject({.kind = FaultKind::hang}));
    submit(200);
    ASSERT_TRUE(inject({.kind = FaultKind::restart, .value = 20'000'000}));
    drain();
    for (int i = 0; i < 5; ++i) {
        submit(50);
        drain();
    }
    EXPECT_TRUE(all_right());
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

TEST_P(Health, ErrorsOfTheDeviceAreComputedAgain) {
    ASSERT_TRUE(inject({.kind = FaultKind::error, .value = 1'000'000}));
    submit(10);
    drain();
    EXPECT_TRUE(all_right());
    EXPECT_EQ(statistics_of(instance_.handle()).fallback[OCTAVO_FALLBACK_DEVICE], 10U);
    EXPECT_EQ(state_of(instance_), OCTAVO_ENDPOINT_UP);
}

TEST_P(Health, AnErrorRateIsOne) {
    ASSERT_TRUE(inject({.kind = FaultKind::error, .value = 300'000}));
    submit(200);
    drain();
    EXPECT_TRUE(all_right());
    const auto failed = statistics_of(instance_.handle()).fallback[OCTAVO_FALLBACK_DEVICE];
    EXPECT_GT(failed, 20U);  // 60 expected; 6 standard deviations are 39
    EXPECT_LT(failed, 100U);
}

TEST_P(Health, AFaultConcernsItsEndpointAndOperationAlone) {
    ASSERT_TRUE(inject({.kind = FaultKind::error, .operation = OCTAVO_RSA_PUBLIC, .value = 1'000'000}));
    ASSERT_TRUE(inject({.kind = FaultKind::kill, .endpoint = 7}));
    submit(10);
    drain();
    EXPECT_TRUE(all_right());
    const auto counted = statistics_of(instance_.handle());
    EXPECT_EQ(counted.fallback[OCTAVO_FALLBACK_DEVICE], 0U);
    EXPECT_EQ(counted.fallback[OCTAVO_FALLBACK_ENDPOINT], 0U);
}

TEST_P(Health, ADelayEndsWithItsFault) {
    ASSERT_TRUE(inject({.kind = FaultKind::delay, .value = kHour}));
    submit(3);
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    ASSERT_EQ(octavo_poll(instance_.handle(), 10, nullptr), OCTAVO_OK);
    EXPECT_FALSE(all_called());
    ASSERT_TRUE(clear_faults());
    drain();
    EXPECT_TRUE(all_right());
    EXPECT_EQ(statistics_of(instance_.handle()).fallback[OCTAVO_FALLBACK_ENDPOINT], 0U);
}

TEST_P(Health, WithoutTheFallbackThereIsADefinedError) {
    ASSERT_EQ(octavo_software_fallback_set(0), OCTAVO_OK);
    ASSERT_TRUE(inject({.kind = FaultKind::delay, .value = kHour}));
    submit(5);
    ASSERT_TRUE(inject({.kind = FaultKind::kill}));
    drain();
    for (const auto& seen : seen_) {
        EXPECT_EQ(seen->calls, 1);
        EXPECT_EQ(seen->last, OCTAVO_ERR_DEVICE);
    }
    auto submission = plain_submission(key_, OCTAVO_RSA_PRIVATE, input_);
    octavo_request request{};
    EXPECT_TRUE(refused(octavo_submit(instance_.handle(), &submission, &request), {OCTAVO_ERR_DEVICE}, "endpoint"));
    Buffer output(expected_.size());
    EXPECT_EQ(instance_.execute(key_, Operation::rsa_private, input_, output).status(), octavo::Status::device);
    EXPECT_EQ(statistics_of(instance_.handle()).failed, 5U);
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

TEST_P(Health, ACancelledRequestIsNotRescuedIntoTheWorld) {
    ASSERT_TRUE(inject({.kind = FaultKind::hang}));
    auto submission = plain_submission(key_, OCTAVO_RSA_PRIVATE, input_);
    std::vector<octavo_request> requests(50);
    for (auto& request : requests) ASSERT_EQ(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_PENDING);
    for (std::size_t i = 0; i < requests.size(); i += 2)
        ASSERT_EQ(octavo_cancel(instance_.handle(), requests[i]), OCTAVO_OK);
    ASSERT_TRUE(inject({.kind = FaultKind::restart, .value = 1'000'000}));
    Buffer output(expected_.size());
    for (std::size_t i = 1; i < requests.size(); i += 2) {
        ASSERT_EQ(octavo_wait(instance_.handle(), requests[i], UINT64_MAX), OCTAVO_OK);
        size_t len = 0;
        ASSERT_EQ(octavo_result(instance_.handle(), requests[i], output.data(), output.size(), &len), OCTAVO_OK);
        EXPECT_EQ(output, expected_);
        EXPECT_EQ(octavo_cancel(instance_.handle(), requests[i]), OCTAVO_CANCELLED) << "the handle is void";
    }
    const auto counted = statistics_of(instance_.handle());
    EXPECT_EQ(counted.cancelled, 25U);
    EXPECT_EQ(counted.completed, 25U);
    EXPECT_TRUE(adds_up(counted));
}

TEST_P(Health, DestroyedInAHang) {
    ASSERT_TRUE(inject({.kind = FaultKind::hang}));
    auto doomed = *octavo::Instance::create({.name = "doomed", .driver = GetParam(), .never_in_place = true});
    auto submission = plain_submission(key_, OCTAVO_RSA_PRIVATE, input_);
    octavo_request request{};
    for (int i = 0; i < 20; ++i) ASSERT_EQ(octavo_submit(doomed.handle(), &submission, &request), OCTAVO_PENDING);
}

TEST_P(Health, AChildBeginsWell) {
    if (kUnderTsan) GTEST_SKIP() << "fork in a process with threads is not supported under tsan";
    ASSERT_TRUE(inject({.kind = FaultKind::kill}));
    const auto child = fork();
    if (child == 0) {
        Buffer output(expected_.size());
        const bool well = state_of(instance_) == OCTAVO_ENDPOINT_UP &&
                          instance_.execute(key_, Operation::rsa_private, input_, output) && output == expected_ &&
                          inject({.kind = FaultKind::kill}) && state_of(instance_) == OCTAVO_ENDPOINT_DOWN;
        _exit(well ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(state_of(instance_), OCTAVO_ENDPOINT_DOWN);
}

testing::AssertionResult forks_well() {
    const auto child = fork();
    if (child == 0) _exit(0);
    int status = -1;
    if (waitpid(child, &status, 0) != child || status != 0) return testing::AssertionFailure() << status;
    return testing::AssertionSuccess();
}

/// fork() waits for engine threads, and the thread that could end the hang waits for fork().
TEST_P(HealthWake, ForkDuringAHang) {
    Events events;
    ASSERT_TRUE(inject({.kind = FaultKind::hang}));
    submit(20);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(forks_well());
    drain();
    EXPECT_TRUE(all_right());
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

/// A callback that takes until others have forked.
TEST_P(HealthWake, ForkDuringACallback) {
    struct Stage {
        std::atomic<bool> has_begun{false}, may_end{false}, has_ended{false};
    } stage;
    const auto callback = [](void* argument, std::uint32_t, std::uint32_t) {
        auto& it = *static_cast<Stage*>(argument);
        it.has_begun = true;
        while (!it.may_end) std::this_thread::sleep_for(std::chrono::milliseconds{1});
        it.has_ended = true;
    };
    std::uint64_t subscription = 0;
    ASSERT_EQ(octavo_event_subscribe(callback, &stage, &subscription), OCTAVO_OK);
    ASSERT_TRUE(inject({.kind = FaultKind::restart, .value = 1'000'000}));
    while (!stage.has_begun) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    submit(5);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(forks_well());
    stage.may_end = true;
    EXPECT_EQ(octavo_event_unsubscribe(subscription), OCTAVO_OK);
    EXPECT_TRUE(stage.has_ended) << "unsubscribing waits for a callback's end";
    drain();
    EXPECT_TRUE(all_right());
}

/// Waiters by descriptor while the device hangs: each is woken once, from whichever side.
TEST_P(HealthWake, EachWaiterOnce) {
    ASSERT_TRUE(inject({.kind = FaultKind::hang}));
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE);
    std::vector<octavo_request> requests(40);
    for (auto& request : requests) {
        auto submission = plain_submission(key_, OCTAVO_RSA_PRIVATE, input_);
        submission.wakeup.fd = fd;
        ASSERT_EQ(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_PENDING);
    }
    ASSERT_TRUE(inject({.kind = FaultKind::restart, .value = 20'000'000}));
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return statistics_of(instance_.handle()).in_flight == 0; }));
    wait_until_up();
    Buffer output(expected_.size());
    for (auto& request : requests) {
        size_t len = 0;
        EXPECT_EQ(octavo_result(instance_.handle(), request, output.data(), output.size(), &len), OCTAVO_OK);
        EXPECT_EQ(output, expected_);
    }
    std::uint64_t woken = 0, one = 0;
    while (read(fd, &one, sizeof one) == sizeof one) ++woken;
    EXPECT_EQ(woken, requests.size());
    close(fd);
}

}  // namespace
}  // namespace api_test
