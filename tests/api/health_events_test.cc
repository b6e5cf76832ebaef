#include <atomic>

#include "health.hpp"

/// Subscriptions to events, and what the C++ interface shows of endpoints.

namespace api_test {
namespace {

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

/// Read once by a process: so in another one, of the same program.
TEST(HealthOff, ResultsAreRightAndNoFaultComesIn) {
    if (std::getenv("OCTAVO_HEALTH") == nullptr) {
        EXPECT_TRUE(pass_with("OCTAVO_HEALTH=off", "HealthOff.*"));
        return;
    }
    const auto& parts = shared_parts(2048);
    const auto key = make_key(parts);
    const auto expected = random_below(parts.n), input = mod_exp(expected, parts.e, parts.n);
    const auto submission = plain_submission(key, OCTAVO_RSA_PRIVATE, input);
    for (const auto driver : kAllDrivers) {
        const auto instance = *octavo::Instance::create({.name = "off", .driver = driver, .never_in_place = true});
        std::vector<octavo_request> requests(20);
        for (auto& request : requests)
            ASSERT_EQ(octavo_submit(instance.handle(), &submission, &request), OCTAVO_PENDING);
        EXPECT_FALSE(inject({.kind = FaultKind::kill}));
        Buffer output(expected.size());
        for (const auto& request : requests) {
            ASSERT_EQ(octavo_wait(instance.handle(), request, UINT64_MAX), OCTAVO_OK);
            size_t len = 0;
            ASSERT_EQ(octavo_result(instance.handle(), request, output.data(), output.size(), &len), OCTAVO_OK);
            EXPECT_EQ(output, expected);
        }
    }
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

}  // namespace
}  // namespace api_test
