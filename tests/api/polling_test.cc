#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "support.hpp"

/// octavo_polling_...() and octavo_retry_...(): arguments, ranges, order.
namespace {

octavo_polling settings(std::uint32_t mode) {
    octavo_polling polling{};
    polling.size = sizeof polling;
    polling.mode = mode;
    return polling;
}

octavo_status set(const octavo_polling& polling) { return octavo_polling_set(&polling); }

octavo_polling now() {
    auto polling = settings(0);
    EXPECT_EQ(octavo_polling_get(&polling), OCTAVO_OK) << octavo_error_text();
    return polling;
}

bool says(const char* text) { return std::strstr(octavo_error_text(), text) != nullptr; }

octavo_instance mine() {
    octavo_instance instance{};
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK) << octavo_error_text();
    return instance;
}

std::uint32_t mode_of(octavo_instance instance) {
    std::uint32_t mode = 99;
    EXPECT_EQ(octavo_instance_polling(instance, &mode), OCTAVO_OK) << octavo_error_text();
    return mode;
}

/// Settings are the process's: each test begins and ends with none.
class Polling : public testing::Test {
protected:
    void SetUp() override { octavo_polling_reset(); }
    void TearDown() override { octavo_polling_reset(); }
};

TEST_F(Polling, ZeroedFieldsAreFilledIn) {
    EXPECT_EQ(now().mode, OCTAVO_POLLING_DEFAULT);
    ASSERT_EQ(set(settings(OCTAVO_POLLING_TIMER)), OCTAVO_OK);
    EXPECT_EQ(now().mode, OCTAVO_POLLING_TIMER);
    EXPECT_EQ(now().interval_ns, 10'000U);
    EXPECT_EQ(now().timeout_ms, 1'000U);
}

TEST_F(Polling, RangesAreNamed) {
    const auto refused = [](auto&& change, const char* field) {
        auto polling = settings(OCTAVO_POLLING_TIMER);
        change(polling);
        EXPECT_EQ(set(polling), OCTAVO_ERR_BAD_ARGUMENT) << field;
        EXPECT_TRUE(says(field)) << octavo_error_text();
        EXPECT_EQ(now().mode, OCTAVO_POLLING_DEFAULT) << "half applied: " << field;
    };
    refused([](auto& it) { it.mode = 6; }, "mode");
    refused([](auto& it) { it.driver = 3; }, "driver");
    refused([](auto& it) { it.interval_ns = 10'000'001; }, "interval_ns");
    refused([](auto& it) { it.timeout_ms = 60'001; }, "timeout_ms");
    refused([](auto& it) { it.size = 8; }, "size");
    auto edge = settings(OCTAVO_POLLING_TIMER);
    edge.interval_ns = 10'000'000;
    edge.timeout_ms = 60'000;
    EXPECT_EQ(set(edge), OCTAVO_OK) << octavo_error_text();
    edge.interval_ns = 1;
    edge.timeout_ms = 1;
    EXPECT_EQ(set(edge), OCTAVO_OK) << octavo_error_text();
}

TEST_F(Polling, NullPointersAreNamed) {
    EXPECT_EQ(octavo_polling_set(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_polling_get(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_polling_count(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_polling_fd(0, nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_polling_in_flight(OCTAVO_IN_FLIGHT_ASYMMETRIC, nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_instance_polling(mine(), nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_instance_waiter_computes(mine(), {0}, OCTAVO_RSA_PUBLIC, nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_retry_limit_get(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_retry_count(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    std::uint32_t mode = 0;
    EXPECT_EQ(octavo_instance_polling({0}, &mode), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_EQ(octavo_instance_waiter_computes({0}, {0}, OCTAVO_RSA_PUBLIC, &mode), OCTAVO_ERR_BAD_HANDLE);
}

TEST_F(Polling, TooLateOnceAnInstanceHasStarted) {
    ASSERT_EQ(set(settings(OCTAVO_POLLING_EVENT)), OCTAVO_OK);
    std::thread([] { EXPECT_EQ(mode_of(mine()), OCTAVO_POLLING_EVENT); }).join();
    EXPECT_EQ(set(settings(OCTAVO_POLLING_TIMER)), OCTAVO_ERR_STARTED);
    EXPECT_TRUE(says("octavo_polling_reset")) << octavo_error_text();
    EXPECT_EQ(set(settings(OCTAVO_POLLING_EVENT)), OCTAVO_OK) << "the same again";
    ASSERT_EQ(octavo_polling_reset(), OCTAVO_OK);
    EXPECT_EQ(set(settings(OCTAVO_POLLING_TIMER)), OCTAVO_OK) << octavo_error_text();
}

TEST_F(Polling, AThreadsInstanceIsMadeAnewAfterAReset) {
    std::thread([] {
        ASSERT_EQ(set(settings(OCTAVO_POLLING_EXTERNAL)), OCTAVO_OK);
        const auto before = mine();
        EXPECT_EQ(mode_of(before), OCTAVO_POLLING_EXTERNAL);
        EXPECT_EQ(mine().id, before.id) << "made anew without a reason";
        octavo_polling_reset();
        const auto after = mine();
        EXPECT_EQ(mode_of(after), OCTAVO_POLLING_DEFAULT);
        std::uint32_t mode = 0;
        EXPECT_EQ(octavo_instance_polling(before, &mode), OCTAVO_ERR_BAD_HANDLE);
    }).join();
}

TEST_F(Polling, InstancesOfTheirCallersAreLeftAlone) {
    ASSERT_EQ(set(settings(OCTAVO_POLLING_EXTERNAL)), OCTAVO_OK);
    octavo_instance own{};
    ASSERT_EQ(octavo_instance_create(nullptr, &own), OCTAVO_OK);
    EXPECT_EQ(mode_of(own), OCTAVO_POLLING_DEFAULT);
    EXPECT_EQ(octavo_instance_destroy(own), OCTAVO_OK);
    std::thread([] {
        octavo_instance_config config{};
        config.size = sizeof config;
        config.driver = OCTAVO_DRIVER_INLINE;
        ASSERT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK);
        EXPECT_EQ(mode_of(mine()), OCTAVO_POLLING_DEFAULT);
    }).join();
}

TEST_F(Polling, OnlyTheApplicationsModesArePolledByIt) {
    int fd = 0;
    for (const std::uint32_t mode :
         {OCTAVO_POLLING_DEFAULT, OCTAVO_POLLING_TIMER, OCTAVO_POLLING_EVENT, OCTAVO_POLLING_INLINE}) {
        octavo_polling_reset();
        ASSERT_EQ(set(settings(mode)), OCTAVO_OK);
        EXPECT_EQ(octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr), OCTAVO_ERR_UNSUPPORTED) << mode;
        EXPECT_EQ(octavo_polling_fd(0, &fd), OCTAVO_ERR_UNSUPPORTED) << mode;
    }
    for (const std::uint32_t mode : {OCTAVO_POLLING_EXTERNAL, OCTAVO_POLLING_HEURISTIC}) {
        octavo_polling_reset();
        ASSERT_EQ(set(settings(mode)), OCTAVO_OK);
        for (const std::size_t index : {std::size_t{0}, OCTAVO_POLLING_ALL, OCTAVO_POLLING_OWN})
            EXPECT_EQ(octavo_polling_poll(index, nullptr), OCTAVO_OK) << octavo_error_text();
        EXPECT_EQ(octavo_polling_poll(1, nullptr), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_EQ(octavo_polling_fd(1, &fd), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_EQ(fd, -1);
    }
}

TEST_F(Polling, WithoutASectionThereIsOneInstance) {
    std::size_t count = 0;
    ASSERT_EQ(octavo_polling_count(&count), OCTAVO_OK);
    EXPECT_EQ(count, 1U);
    EXPECT_EQ(octavo_polling_bind(0), OCTAVO_OK);
    EXPECT_EQ(octavo_polling_bind(1), OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_TRUE(says("index: 1")) << octavo_error_text();
}

TEST_F(Polling, NumbersInFlightHaveAddressesThatStay) {
    for (const std::uint32_t kind : {OCTAVO_IN_FLIGHT_ASYMMETRIC, OCTAVO_IN_FLIGHT_KDF, OCTAVO_IN_FLIGHT_CIPHER}) {
        const volatile std::int32_t *first = nullptr, *second = nullptr;
        ASSERT_EQ(octavo_polling_in_flight(kind, &first), OCTAVO_OK);
        octavo_polling_reset();
        ASSERT_EQ(octavo_polling_in_flight(kind, &second), OCTAVO_OK);
        EXPECT_EQ(first, second);
        EXPECT_EQ(*first, 0);
    }
    const volatile std::int32_t* none = nullptr;
    EXPECT_EQ(octavo_polling_in_flight(0, &none), OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(octavo_polling_in_flight(4, &none), OCTAVO_ERR_BAD_ARGUMENT);
}

TEST_F(Polling, RetriesAreLimitedAndCounted) {
    std::int32_t limit = 0;
    ASSERT_EQ(octavo_retry_limit_get(&limit), OCTAVO_OK);
    EXPECT_EQ(limit, 8);
    for (const std::int32_t good : {-1, 0, 100'000, 8}) {
        EXPECT_EQ(octavo_retry_limit_set(good), OCTAVO_OK) << good;
        octavo_retry_limit_get(&limit);
        EXPECT_EQ(limit, good);
    }
    for (const std::int32_t bad : {-2, 100'001}) EXPECT_EQ(octavo_retry_limit_set(bad), OCTAVO_ERR_BAD_ARGUMENT);
    std::uint64_t count = 1;
    EXPECT_EQ(octavo_retry_count(&count), OCTAVO_OK);
    EXPECT_EQ(count, 0U);
}

TEST_F(Polling, TheSameInCpp) {
    using namespace std::chrono_literals;
    octavo::PollingOptions options;
    options.mode = octavo::PollingMode::timer;
    for (const auto bad : {-1ns, std::chrono::nanoseconds{11ms}}) {
        options.interval = bad;
        EXPECT_EQ(octavo::set_polling(options), octavo::Status::bad_argument) << bad.count();
    }
    options = {octavo::PollingMode::external, octavo::Driver::in_line, 0ns, 60s};
    EXPECT_EQ(octavo::set_polling(options), octavo::Status::ok) << octavo::error_text();
    EXPECT_EQ(now().timeout_ms, 60'000U);
    EXPECT_TRUE(octavo::poll_instances());
    EXPECT_TRUE(octavo::polling_fd());
    EXPECT_EQ(octavo::poll_instances(1).status(), octavo::Status::bad_argument);
    EXPECT_EQ(octavo::reset_polling(), octavo::Status::ok);
    EXPECT_EQ(octavo::poll_instances().status(), octavo::Status::unsupported);
    options.timeout = -1ms;
    EXPECT_EQ(octavo::set_polling(options), octavo::Status::bad_argument);
}

/// What a request's wake-up adds to.
struct Woken {
    std::atomic<int> count{0};
    static void add(void* self) { ++static_cast<Woken*>(self)->count; }
};

/// Submits through the thread's instance with wake-ups, as a front end does, is woken once for each, and reaps.
void submit_and_reap(const octavo::Key& key, std::uint32_t mode) {
    constexpr int kCount = 48;
    const auto instance = mine();
    const api_test::Buffer input(*key.length());
    api_test::Buffer output(input.size());
    Woken woken;
    std::vector<octavo_request> requests(kCount);
    int done_at_once = 0;
    for (auto& request : requests) {
        auto submission = api_test::plain_submission(key, OCTAVO_RSA_PUBLIC, input);
        submission.wakeup.call = Woken::add;
        submission.wakeup.argument = &woken;
        const auto status = octavo_submit(instance, &submission, &request);
        ASSERT_TRUE(status == OCTAVO_OK || status == OCTAVO_PENDING) << octavo_error_text();
        done_at_once += status == OCTAVO_OK;
    }
    const bool is_external = mode == OCTAVO_POLLING_EXTERNAL || mode == OCTAVO_POLLING_HEURISTIC;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (woken.count < kCount - done_at_once) {
        if (is_external) octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr);
        if (mode == OCTAVO_POLLING_INLINE) octavo_wait(instance, requests.back(), UINT64_MAX);
        std::this_thread::yield();
        ASSERT_LT(std::chrono::steady_clock::now(), limit) << woken.count << " were woken, " << done_at_once << " done";
    }
    ASSERT_EQ(octavo_poll(instance, SIZE_MAX, nullptr), OCTAVO_OK);
    for (const auto& request : requests)
        EXPECT_EQ(octavo_result(instance, request, output.data(), output.size(), nullptr), OCTAVO_OK);
    EXPECT_EQ(woken.count, kCount - done_at_once) << "woken twice";
}

/// Several threads, some of which cancel what they have submitted, while instances come and go.
TEST_F(Polling, ThreadsSubmitCancelAndEnd) {
    const auto key = api_test::make_key(api_test::shared_parts(512));
    const volatile std::int32_t* in_flight = nullptr;
    ASSERT_EQ(octavo_polling_in_flight(OCTAVO_IN_FLIGHT_ASYMMETRIC, &in_flight), OCTAVO_OK);
    for (std::uint32_t mode = OCTAVO_POLLING_TIMER; mode <= OCTAVO_POLLING_INLINE; ++mode)
        for (const std::uint32_t driver : {OCTAVO_DRIVER_INLINE, OCTAVO_DRIVER_THREADS}) {
            octavo_polling_reset();
            auto polling = settings(mode);
            polling.driver = driver;
            ASSERT_EQ(set(polling), OCTAVO_OK);
            std::vector<std::thread> threads;
            for (int t = 0; t < 4; ++t)
                threads.emplace_back([&, t] {
                    for (int round = 0; round < 3; ++round) submit_and_reap(key, mode);
                    const api_test::Buffer input(*key.length());
                    for (int i = 0; i < 20; ++i) {
                        const auto submission = api_test::plain_submission(key, OCTAVO_RSA_PUBLIC, input);
                        octavo_request request{};
                        ASSERT_GE(octavo_submit(mine(), &submission, &request), OCTAVO_OK);
                        if (t % 2 == 0) {
                            ASSERT_EQ(octavo_cancel(mine(), request), OCTAVO_OK);
                        }
                    }
                });
            for (auto& thread : threads) thread.join();
            EXPECT_EQ(*in_flight, 0) << mode << " " << driver;
        }
}

TEST_F(Polling, AChildHasItsParentsSettings) {
    ASSERT_EQ(set(settings(OCTAVO_POLLING_EVENT)), OCTAVO_OK);
    const auto child = fork();
    if (child == 0) _exit(now().mode == OCTAVO_POLLING_EVENT && mode_of(mine()) == OCTAVO_POLLING_EVENT ? 0 : 1);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
