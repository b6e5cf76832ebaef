#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "support.hpp"

/// Wake-ups: by descriptor and by call, what they promise, and that a cancel ends them.

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;
using octavo::Wakeup;

class EventFd {
public:
    EventFd() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
    EventFd(const EventFd&) = delete;
    EventFd& operator=(const EventFd&) = delete;
    ~EventFd() { close(fd_); }
    int get() const { return fd_; }
    bool wait(int timeout_ms) const {
        pollfd poll_fd{fd_, POLLIN, 0};
        return poll(&poll_fd, 1, timeout_ms) == 1;
    }
    std::uint64_t take() const {
        std::uint64_t count = 0;
        return read(fd_, &count, sizeof count) == sizeof count ? count : 0;
    }

private:
    int fd_;
};

class Wake : public testing::TestWithParam<Driver> {
protected:
    /// Never in place, so that each request does wake.
    octavo::Instance instance_ =
        *octavo::Instance::create({.name = "wake", .driver = GetParam(), .ring_size = 256, .never_in_place = true});
    const RsaParts& parts_ = shared_parts(512);
    octavo::Key key_ = make_key(parts_);
    Buffer input_ = random_below(parts_.n);
};
INSTANTIATE_TEST_SUITE_P(Threads, Wake, testing::Values(Driver::threads, Driver::automatic), driver_name);

TEST_P(Wake, ByDescriptorOnceForEachRequest) {
    const EventFd event;
    const int num_requests = 100;
    std::vector<octavo::Request> requests;
    for (int i = 0; i < num_requests; ++i) {
        auto request = instance_.submit(key_, Operation::rsa_public, input_, Wakeup::by_fd(event.get()));
        ASSERT_EQ(request.status(), octavo::Status::pending);
        requests.push_back(std::move(*request));
    }
    std::uint64_t woken = 0;
    while (woken < num_requests) {
        ASSERT_TRUE(event.wait(10'000)) << woken << " of " << num_requests;
        woken += event.take();
    }
    ASSERT_TRUE(instance_.poll());
    for (auto& request : requests) {
        Buffer output(64);
        EXPECT_EQ(request.result(output).status(), octavo::Status::ok) << "a wake-up says that poll() sees it";
    }
    EXPECT_FALSE(event.wait(20)) << "and no more than one";
}

TEST_P(Wake, ByCall) {
    std::atomic<int> woken{0};
    std::atomic<bool> on_this_thread{false};
    const auto here = std::this_thread::get_id();
    auto wake = [&]() noexcept {
        if (std::this_thread::get_id() == here) on_this_thread = true;
        ++woken;
    };
    int calls = 0;
    std::vector<std::unique_ptr<octavo::Completion<std::function<void(octavo::Status, View)>>>> completions;
    for (int i = 0; i < 100; ++i) {
        completions.push_back(std::make_unique<octavo::Completion<std::function<void(octavo::Status, View)>>>(
            [&](octavo::Status, View) { ++calls; }));
        ASSERT_EQ(instance_.submit(key_, Operation::rsa_public, input_, *completions.back(), Wakeup::by_call(wake)),
                  octavo::Status::pending);
    }
    while (woken < 100) std::this_thread::yield();
    EXPECT_EQ(calls, 0) << "callbacks run in poll()";
    EXPECT_FALSE(on_this_thread);
    ASSERT_EQ(*instance_.poll(), 100U) << "each wake-up says that poll() sees it";
    EXPECT_EQ(calls, 100);
    EXPECT_EQ(woken, 100);
}

TEST_P(Wake, BothAtOnce) {
    const EventFd event;
    std::atomic<int> woken{0};
    auto submission = plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
    submission.wakeup = {event.get(), [](void* n) { ++*static_cast<std::atomic<int>*>(n); }, &woken};
    octavo_request request{};
    ASSERT_EQ(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_PENDING);
    ASSERT_TRUE(event.wait(10'000));
    EXPECT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
    EXPECT_EQ(octavo_cancel(instance_.handle(), request), OCTAVO_OK);  // what waits for a wake-up in progress
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(event.take(), 1U);
}

/// After a cancel the eventfd may be closed and the argument freed, whatever the engine thread is doing.
TEST_P(Wake, CancelEndsIt) {
    struct Argument {
        std::atomic<int> calls{0};
        EventFd event;
    };
    const auto call = [](void* argument) { ++static_cast<Argument*>(argument)->calls; };
    for (int round = 0; round < 500; ++round) {
        auto argument = std::make_unique<Argument>();
        auto submission = plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
        submission.wakeup = {argument->event.get(), call, argument.get()};
        std::vector<octavo_request> requests(static_cast<std::size_t>(round % 5 + 1));
        for (auto& request : requests)
            ASSERT_TRUE(poll_until(instance_.handle(), [&] {
                return octavo_submit(instance_.handle(), &submission, &request) == OCTAVO_PENDING;
            }));
        for (int spin = 0; spin < (round % 50) * 40; ++spin) std::atomic_signal_fence(std::memory_order_seq_cst);
        for (const auto request : requests) ASSERT_EQ(octavo_cancel(instance_.handle(), request), OCTAVO_OK);
        EXPECT_LE(argument->calls, static_cast<int>(requests.size()));
    }
}

TEST_P(Wake, InstanceDestructionEndsIt) {
    for (int round = 0; round < 50; ++round) {
        auto woken = std::make_unique<std::atomic<int>>(0);
        auto submission = plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
        submission.wakeup.call = [](void* n) { ++*static_cast<std::atomic<int>*>(n); };
        submission.wakeup.argument = woken.get();
        for (int i = 0; i < 8; ++i) {
            octavo_request request{};
            ASSERT_EQ(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_PENDING);
        }
        instance_ = make_instance(GetParam());
        EXPECT_LE(*woken, 8);
        woken.reset();
    }
}

/// With in-place allowed: whatever is answered with pending wakes, whatever is answered with ok does not.
TEST_P(Wake, InPlaceDoesNotWake) {
    auto instance = make_instance(GetParam());
    std::atomic<int> woken{0};
    auto wake = [&]() noexcept { ++woken; };
    int pending = 0, in_place = 0;
    for (int i = 0; i < 300; ++i) {
        const int before = woken;
        auto request = instance.submit(key_, Operation::rsa_public, input_, Wakeup::by_call(wake));
        ASSERT_TRUE(request);
        if (request.status() == octavo::Status::ok) {
            EXPECT_EQ(woken, before);
            ++in_place;
        } else {
            ++pending;
        }
        ASSERT_EQ(request->wait(), octavo::Status::ok);
        Buffer output(64);
        ASSERT_TRUE(request->result(output));
    }
    while (woken < pending) std::this_thread::yield();
    EXPECT_EQ(woken, pending);
    EXPECT_GT(in_place, 200) << "a lone submitter should compute in place";
    EXPECT_EQ(instance.statistics()->in_place, static_cast<std::uint64_t>(in_place));
}

TEST(WakeAuto, AFirstWakeupTurnsAnInlineInstance) {
    auto instance = *octavo::Instance::create({.name = "auto", .never_in_place = true});
    const auto& parts = shared_parts(512);
    const auto key = make_key(parts);
    const auto input = random_below(parts.n);
    std::vector<octavo::Request> before;
    for (int i = 0; i < 10; ++i) before.push_back(*instance.submit(key, Operation::rsa_public, input));
    const EventFd event;
    auto request = instance.submit(key, Operation::rsa_public, input, Wakeup::by_fd(event.get()));
    ASSERT_TRUE(request);
    EXPECT_TRUE(event.wait(10'000)) << "nobody polls, and yet it is done";
    const auto right = mod_exp(input, parts.e, parts.n);
    for (auto& earlier : before) {
        Buffer output(64);
        ASSERT_EQ(earlier.wait(), octavo::Status::ok);
        ASSERT_TRUE(earlier.result(output));
        EXPECT_EQ(output, right);
    }
}

}  // namespace
}  // namespace api_test
