#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "faults.hpp"
#include "support.hpp"

/// What tests of endpoints' health share: events, states, and an instance with requests in flight.
namespace api_test {

using octavo::Driver;
using octavo::Operation;

inline constexpr std::uint64_t kHour = 3'600'000'000'000;

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

inline std::uint32_t state_of(const octavo::Instance& instance) {
    std::uint32_t state = 99;
    EXPECT_EQ(octavo_instance_state(instance.handle(), &state), OCTAVO_OK);
    return state;
}

inline bool is_alive() {
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

}  // namespace api_test
