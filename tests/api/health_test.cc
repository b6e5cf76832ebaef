#include <sys/eventfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>

#include "faults.hpp"
#include "sanitizers.hpp"
#include "support.hpp"

/// Endpoints that go away, hang, fail or are slow: what becomes of requests in flight and of new ones, in which states, with which events.

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;

constexpr std::uint64_t kHour = 3'600'000'000'000;

[[maybe_unused]] const bool allowed = (allow_faults(), true);

/// Events since it was made.
class Events {
public:
    Events() { EXPECT_EQ(octavo_event_subscribe(note, this, &subscription_), OCTAVO_OK); }
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;
    ~Events() { EXPECT_EQ(octavo_event_unsubscribe(subscription_), OCTAVO_OK); }

    std::vector<std::uint32_t> seen() {
        const std::lock_guard lock{mutex_};
        return seen_;
    }
    /// These, in this order; others may come between, because a busy machine may keep an engine thread from its work for a second.
    bool wait(const std::vector<std::uint32_t>& wanted) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (!has(wanted) && std::chrono::steady_clock::now() < limit)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        return has(wanted);
    }

private:
    bool has(const std::vector<std::uint32_t>& wanted) {
        auto next = wanted.begin();
        for (const auto event : seen())
            if (next != wanted.end() && event == *next) ++next;
        return next == wanted.end();
    }
    static void note(void* self, std::uint32_t endpoint, std::uint32_t event) {
        auto& events = *static_cast<Events*>(self);
        const std::lock_guard lock{events.mutex_};
        events.seen_.push_back(endpoint == 0 ? event : 1000 + endpoint);
    }
    std::mutex mutex_;
    std::vector<std::uint32_t> seen_;
    std::uint64_t subscription_ = 0;
};

std::uint32_t state_of(const octavo::Instance& instance) {
    std::uint32_t state = 99;
    EXPECT_EQ(octavo_instance_state(instance.handle(), &state), OCTAVO_OK);
    return state;
}

bool is_alive() {
    octavo_endpoint endpoint{};
    endpoint.size = sizeof endpoint;
    EXPECT_EQ(octavo_endpoint_get(0, &endpoint), OCTAVO_OK);
    return endpoint.is_alive == 1;
}

class Health : public testing::TestWithParam<Driver> {
protected:
    Health()
        : instance_(*octavo::Instance::create(
              {.name = "health", .driver = GetParam(), .ring_size = 256, .never_in_place = true})) {}
    ~Health() override {
        EXPECT_TRUE(clear_faults());
        wait_until_up();
        EXPECT_EQ(octavo_software_fallback_set(1), OCTAVO_OK);
    }
    void wait_until_up() {
        while (state_of(instance_) != OCTAVO_ENDPOINT_UP) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }

    struct Seen {
        int calls = 0, right = 0;
        octavo_status last = OCTAVO_PENDING;
        const Buffer* expected = nullptr;
    };
    static void reaped(void* argument, octavo_request, octavo_status status, const std::uint8_t* output, size_t len) {
        auto& seen = *static_cast<Seen*>(argument);
        ++seen.calls;
        seen.last = status;
        seen.right +=
            status == OCTAVO_OK && std::equal(output, output + len, seen.expected->begin(), seen.expected->end());
    }
    /// Submits requests whose replies go to `seen_`.
    void submit(int count) {
        for (int i = 0; i < count; ++i) {
            auto& seen = seen_.emplace_back(std::make_unique<Seen>());
            seen->expected = &expected_;
            auto submission = plain_submission(key_, OCTAVO_RSA_PRIVATE, input_);
            submission.callback = reaped;
            submission.callback_argument = seen.get();
            const auto status = octavo_submit(instance_.handle(), &submission, nullptr);
            ASSERT_TRUE(status == OCTAVO_PENDING || status == OCTAVO_OK) << status;
        }
    }
    bool all_called() const {
        return std::all_of(seen_.begin(), seen_.end(), [](const auto& seen) { return seen->calls > 0; });
    }
    testing::AssertionResult all_right() const {
        for (const auto& seen : seen_)
            if (seen->calls != 1 || seen->right != 1)
                return testing::AssertionFailure() << seen->calls << " calls, " << octavo_status_name(seen->last);
        return testing::AssertionSuccess();
    }
    void drain() {
        ASSERT_TRUE(poll_until(instance_.handle(), [&] { return all_called(); }));
    }

    octavo::Instance instance_;
    const RsaParts& parts_ = shared_parts(2048);
    octavo::Key key_ = make_key(parts_);
    Buffer expected_ = random_below(parts_.n);
    Buffer input_ = mod_exp(expected_, parts_.e, parts_.n);
    std::vector<std::unique_ptr<Seen>> seen_;
};
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

/// What an event's callback may not do, and what it may.
TEST(HealthEvents, BadInput) {
    std::uint64_t subscription = 1;
    EXPECT_TRUE(
        refused(octavo_event_subscribe(nullptr, nullptr, &subscription), {OCTAVO_ERR_NULL_ARGUMENT}, "callback"));
    EXPECT_EQ(subscription, 0U);
    const auto nothing = [](void*, std::uint32_t, std::uint32_t) {};
    EXPECT_TRUE(refused(octavo_event_subscribe(nothing, nullptr, nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "subscription"));
    EXPECT_TRUE(refused(octavo_event_unsubscribe(0), {OCTAVO_ERR_BAD_HANDLE}, "subscription"));
    EXPECT_TRUE(refused(octavo_software_fallback_set(2), {OCTAVO_ERR_BAD_ARGUMENT}, "is_on"));
    EXPECT_TRUE(refused(octavo_software_fallback_get(nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "is_on"));
    EXPECT_TRUE(refused(octavo_endpoint_count(nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "count"));
    octavo_endpoint endpoint{};
    EXPECT_TRUE(refused(octavo_endpoint_get(0, &endpoint), {OCTAVO_ERR_BAD_ARGUMENT}, "size"));
    endpoint.size = sizeof endpoint;
    EXPECT_TRUE(refused(octavo_endpoint_get(64, &endpoint), {OCTAVO_ERR_BAD_ARGUMENT}, "index"));
}

TEST(HealthEvents, FromACallback) {
    const auto instance = make_instance(Driver::in_line);
    struct Tried {
        std::uint64_t subscription = 0;
        std::atomic<octavo_status> subscribe{OCTAVO_PENDING}, unsubscribe{OCTAVO_PENDING}, get{OCTAVO_PENDING};
    } tried;
    const auto callback = [](void* argument, std::uint32_t, std::uint32_t) {
        auto& t = *static_cast<Tried*>(argument);
        std::uint64_t another = 0;
        octavo_endpoint endpoint{};
        endpoint.size = sizeof endpoint;
        t.subscribe = octavo_event_subscribe([](void*, std::uint32_t, std::uint32_t) {}, nullptr, &another);
        t.unsubscribe = octavo_event_unsubscribe(t.subscription);
        t.get = octavo_endpoint_get(0, &endpoint);
    };
    ASSERT_EQ(octavo_event_subscribe(callback, &tried, &tried.subscription), OCTAVO_OK);
    ASSERT_TRUE(inject({.kind = FaultKind::restart, .value = 1'000'000}));
    while (tried.get == OCTAVO_PENDING) std::this_thread::yield();
    EXPECT_EQ(octavo_event_unsubscribe(tried.subscription), OCTAVO_OK);
    EXPECT_EQ(tried.subscribe, OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(tried.unsubscribe, OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(tried.get, OCTAVO_OK);
}

TEST(HealthHpp, StatesAndEvents) {
    const auto instance = make_instance(Driver::in_line);
    std::atomic<std::uint32_t> last{0};
    const auto callback = [](void* argument, std::uint32_t, std::uint32_t event) {
        static_cast<std::atomic<std::uint32_t>*>(argument)->store(event);
    };
    auto subscription = *octavo::Subscription::create(callback, &last);
    EXPECT_EQ(octavo::Subscription::create(nullptr, nullptr).status(), octavo::Status::null_argument);
    ASSERT_TRUE(inject({.kind = FaultKind::kill}));
    EXPECT_EQ(*instance.endpoint_state(), octavo::EndpointState::down);
    ASSERT_EQ(octavo::count_endpoints(), 1U);
    const auto endpoint = octavo::get_endpoint(0);
    EXPECT_EQ(endpoint->state, octavo::EndpointState::down);
    EXPECT_FALSE(endpoint->is_alive);
    EXPECT_EQ(endpoint->num_instances, 1U);
    EXPECT_EQ(octavo::get_endpoint(1).status(), octavo::Status::bad_argument);
    const auto wait_for = [&](octavo::Event event) {
        while (last != static_cast<std::uint32_t>(event)) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    };
    wait_for(octavo::Event::down);
    auto moved = std::move(subscription);
    EXPECT_FALSE(subscription);
    ASSERT_TRUE(clear_faults());
    wait_for(octavo::Event::restarted);
    moved.reset();
    ASSERT_TRUE(inject({.kind = FaultKind::kill}));
    ASSERT_TRUE(clear_faults());
    while (*instance.endpoint_state() != octavo::EndpointState::up)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    EXPECT_EQ(last, static_cast<std::uint32_t>(octavo::Event::restarted)) << "nobody is told any more";
    octavo::set_software_fallback(false);
    EXPECT_FALSE(octavo::software_fallback());
    octavo::set_software_fallback(true);
    EXPECT_TRUE(octavo::software_fallback());
}

/// Threads that submit, cancel and fetch, while endpoints fail in every way at random: nothing is lost or answered twice.
TEST(HealthChaos, NothingIsLost) {
    const bool is_long = std::getenv("OCTAVO_LONG_TESTS") != nullptr;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (const auto driver : {Driver::threads, Driver::automatic, Driver::in_line})
        threads.emplace_back([driver, &stop] {
            const auto& parts = shared_parts(512);
            const auto key = make_key(parts);
            const auto input = random_below(parts.n);
            const auto expected = mod_exp(input, parts.e, parts.n);
            const auto instance = *octavo::Instance::create({.name = "chaos", .driver = driver, .ring_size = 64});
            auto submission = plain_submission(key, OCTAVO_RSA_PUBLIC, input);
            std::vector<octavo_request> requests;
            Buffer output(expected.size());
            std::uint64_t accepted = 0;
            for (std::uint64_t i = 0; !stop; ++i) {
                octavo_request request{};
                const auto status = octavo_submit(instance.handle(), &submission, &request);
                ASSERT_TRUE(status == OCTAVO_PENDING || status == OCTAVO_OK || status == OCTAVO_RETRY) << status;
                if (status != OCTAVO_RETRY) requests.push_back(request), ++accepted;
                if (requests.empty() || (status != OCTAVO_RETRY && i % 3 != 0)) continue;
                const auto victim = requests[i * 7 % requests.size()];
                std::erase_if(requests, [&](const auto& one) { return one.id == victim.id; });
                if (i % 11 == 0) {
                    ASSERT_EQ(octavo_cancel(instance.handle(), victim), OCTAVO_OK);
                    continue;
                }
                ASSERT_EQ(octavo_wait(instance.handle(), victim, UINT64_MAX), OCTAVO_OK);
                size_t len = 0;
                ASSERT_EQ(octavo_result(instance.handle(), victim, output.data(), output.size(), &len), OCTAVO_OK);
                ASSERT_EQ(output, expected);
            }
            for (const auto& request : requests) {
                ASSERT_EQ(octavo_wait(instance.handle(), request, UINT64_MAX), OCTAVO_OK);
                size_t len = 0;
                ASSERT_EQ(octavo_result(instance.handle(), request, output.data(), output.size(), &len), OCTAVO_OK);
            }
            const auto counted = statistics_of(instance.handle());
            EXPECT_EQ(counted.submitted, accepted);
            EXPECT_EQ(counted.in_flight, 0U);
            EXPECT_EQ(counted.failed, 0U);
            EXPECT_TRUE(adds_up(counted));
        });
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{is_long ? 60'000 : 2'500};
    for (std::uint64_t i = 0; std::chrono::steady_clock::now() < end; ++i) {
        const std::array<Fault, 6> faults = {Fault{.kind = FaultKind::error, .value = 300'000},
                                             Fault{.kind = FaultKind::delay, .value = 2'000'000},
                                             Fault{.kind = FaultKind::hang},
                                             Fault{.kind = FaultKind::restart, .value = 5'000'000},
                                             Fault{.kind = FaultKind::kill},
                                             Fault{.kind = FaultKind::hang, .operation = OCTAVO_RSA_PUBLIC}};
        inject(faults[(i * 5 + i / 6) % faults.size()]);
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        if (i % 3 == 2) clear_faults();
        if (i % 7 == 6) inject({.kind = FaultKind::restart, .value = 1'000'000});
    }
    clear_faults();
    stop = true;
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace api_test
