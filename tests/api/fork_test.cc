#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>

#include "sanitizers.hpp"
#include "support.hpp"

/// fork() at any moment and any depth: the parent loses nothing, the child works on.

// A check in a child, which reports through its exit code alone.
#define CHILD_CHECK(condition)                                                                                    \
    do {                                                                                                          \
        if (!(condition)) {                                                                                       \
            std::fprintf(stderr, "child: %s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, octavo_error_text()); \
            return false;                                                                                         \
        }                                                                                                         \
    } while (0)

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;

/// ThreadSanitizer gives up on a child of a process with threads that starts a thread itself.
bool tsan_forbids(Driver driver) { return kUnderTsan && driver != Driver::in_line; }

/// Runs `body` in a child, which must come back true within a minute.
template <typename Body>
testing::AssertionResult true_in_child(Body&& body) {
    std::fflush(nullptr);
    const auto child = fork();
    if (child < 0) return testing::AssertionFailure() << "fork failed";
    if (child == 0) {
        alarm(60);  // a deadlock ends as a signal
        _exit(body() ? 0 : 1);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) return testing::AssertionFailure() << "waitpid failed";
    if (WIFSIGNALED(status)) return testing::AssertionFailure() << "the child died of signal " << WTERMSIG(status);
    return WEXITSTATUS(status) == 0 ? testing::AssertionSuccess()
                                    : testing::AssertionFailure() << "the child left with " << WEXITSTATUS(status);
}

struct Problem {
    RsaParts parts;
    octavo::Key key = make_key(parts);
    Buffer plain = random_below(parts.n), raised = mod_exp(plain, parts.e, parts.n);
};

/// Counts callbacks by their status and checks the output of the good ones.
struct Tally {
    const Problem* problem = nullptr;
    int ok = 0, cancelled = 0, wrong = 0;
    static void run(void* self, octavo_request, octavo_status status, const std::uint8_t* output, std::size_t len) {
        auto& tally = *static_cast<Tally*>(self);
        const auto& right = tally.problem->raised;
        if (status == OCTAVO_CANCELLED)
            ++tally.cancelled;
        else if (status == OCTAVO_OK && std::equal(right.begin(), right.end(), output, output + len))
            ++tally.ok;
        else
            ++tally.wrong;
    }
};

/// What one process has in flight on one instance.
class Flight {
public:
    Flight(octavo_instance instance, const Problem& problem) : instance_(instance), problem_(problem) {
        tally_.problem = &problem;
    }

    bool take_off() {
        auto submission = plain_submission(problem_.key, OCTAVO_RSA_PUBLIC, problem_.plain);
        for (int i = 0; i < kEach; ++i) {
            in_place_[i] = octavo_submit(instance_, &submission, &requests_[i]);
            CHILD_CHECK(in_place_[i] == OCTAVO_OK || in_place_[i] == OCTAVO_PENDING);
        }
        submission.callback = &Tally::run;
        submission.callback_argument = &tally_;
        for (int i = 0; i < kEach; ++i) {
            const auto status = octavo_submit(instance_, &submission, nullptr);
            CHILD_CHECK(status == OCTAVO_OK || status == OCTAVO_PENDING);
            num_called_in_place_ += status == OCTAVO_OK ? 1 : 0;
        }
        return true;
    }
    bool land() {
        Buffer output(problem_.plain.size());
        std::size_t len = 0;
        for (const auto request : requests_) {
            CHILD_CHECK(octavo_wait(instance_, request, UINT64_MAX) == OCTAVO_OK);
            CHILD_CHECK(octavo_result(instance_, request, output.data(), output.size(), &len) == OCTAVO_OK);
            CHILD_CHECK(output == problem_.raised);
        }
        CHILD_CHECK(poll_until(instance_, [&] { return tally_.ok + tally_.wrong + tally_.cancelled == kEach; }));
        CHILD_CHECK(tally_.ok == kEach);
        return true;
    }
    /// In a child: what the parent had in flight is cancelled here, once each; what was done in place is done.
    bool is_cancelled() {
        for (int i = 0; i < kEach; ++i) CHILD_CHECK(is_cancelled_or_done_in_place(i));
        for (int i = 0; i < 5; ++i) CHILD_CHECK(octavo_poll(instance_, SIZE_MAX, nullptr) == OCTAVO_OK);
        CHILD_CHECK(tally_.ok == num_called_in_place_ && tally_.wrong == 0);
        CHILD_CHECK(tally_.cancelled == kEach - num_called_in_place_);
        CHILD_CHECK(adds_up(statistics_of(instance_)));
        return true;
    }

private:
    bool is_cancelled_or_done_in_place(int i) {
        Buffer output(problem_.plain.size());
        std::size_t len = 0;
        CHILD_CHECK(octavo_wait(instance_, requests_[i], UINT64_MAX) == OCTAVO_OK);
        const auto status = octavo_result(instance_, requests_[i], output.data(), output.size(), &len);
        if (in_place_[i] == OCTAVO_OK) return status == OCTAVO_OK && output == problem_.raised;
        CHILD_CHECK(status == OCTAVO_CANCELLED);
        CHILD_CHECK(octavo_cancel(instance_, requests_[i]) == OCTAVO_CANCELLED);
        return true;
    }

    static constexpr int kEach = 10;
    octavo_instance instance_;
    const Problem& problem_;
    octavo_request requests_[kEach] = {};
    octavo_status in_place_[kEach] = {};  ///< of octavo_submit(): OCTAVO_OK where it was
    int num_called_in_place_ = 0;
    Tally tally_;
};

class Fork : public testing::TestWithParam<Driver> {
protected:
    void SetUp() override {
        if (tsan_forbids(GetParam())) GTEST_SKIP() << "threads in a forked child are not supported under tsan";
        alarm(300);
    }
    void TearDown() override { alarm(0); }

    octavo::Instance instance_ = make_instance(GetParam());
    Problem small_{shared_parts(512)}, lanes_{shared_parts(2048)};
};
INSTANTIATE_TEST_SUITE_P(Drivers, Fork, testing::ValuesIn(kAllDrivers), driver_name);

/// An inline instance has no descriptor and wakes nobody.
using ForkBesideAnEngine = Fork;
INSTANTIATE_TEST_SUITE_P(Drivers, ForkBesideAnEngine, testing::Values(Driver::threads, Driver::automatic), driver_name);

/// A generation of processes: takes off, forks the next, and lands when that has ended.
bool generation(octavo_instance instance, const Problem& problem, int more) {
    Flight flight{instance, problem};
    if (!flight.take_off()) return false;
    if (more > 0) {
        const bool good = static_cast<bool>(
            true_in_child([&] { return flight.is_cancelled() && generation(instance, problem, more - 1); }));
        CHILD_CHECK(good);
    }
    return flight.land();
}

TEST_P(Fork, ThreeDeepWithRequestsInFlight) {
    for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(generation(instance_.handle(), small_, 3));
        EXPECT_TRUE(generation(instance_.handle(), lanes_, 3));
    }
    const auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.completed, 200U);
    EXPECT_EQ(s.cancelled, 0U);
    EXPECT_TRUE(adds_up(s));
}

TEST_P(Fork, ManyChildrenAtOnce) {
    Flight flight{instance_.handle(), lanes_};
    ASSERT_TRUE(flight.take_off());
    std::vector<pid_t> children;
    for (int i = 0; i < 10; ++i) {
        const auto child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            alarm(60);
            _exit(flight.is_cancelled() && generation(instance_.handle(), small_, 0) ? 0 : 1);
        }
        children.push_back(child);
    }
    EXPECT_TRUE(flight.land());
    for (const auto child : children) {
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
}

TEST_P(Fork, CancelledAndDoneRequestsInAChild) {
    const auto submission = plain_submission(small_.key, OCTAVO_RSA_PUBLIC, small_.plain);
    octavo_request done{}, cancelled{}, open{};
    ASSERT_GE(octavo_submit(instance_.handle(), &submission, &done), OCTAVO_OK);
    ASSERT_EQ(octavo_wait(instance_.handle(), done, UINT64_MAX), OCTAVO_OK);
    ASSERT_GE(octavo_submit(instance_.handle(), &submission, &cancelled), OCTAVO_OK);
    ASSERT_GE(octavo_submit(instance_.handle(), &submission, &open), OCTAVO_OK);
    ASSERT_EQ(octavo_cancel(instance_.handle(), cancelled), OCTAVO_OK);
    EXPECT_TRUE(true_in_child([&] {
        Buffer output(64);
        std::size_t len = 0;
        const auto fetch = [&](octavo_request r) {
            return octavo_result(instance_.handle(), r, output.data(), 64, &len);
        };
        const auto was_done = fetch(done);
        CHILD_CHECK(was_done == OCTAVO_CANCELLED || (was_done == OCTAVO_OK && output == small_.raised));
        CHILD_CHECK(octavo_cancel(instance_.handle(), cancelled) == OCTAVO_CANCELLED);
        CHILD_CHECK(octavo_cancel(instance_.handle(), open) == OCTAVO_OK);  // also the parent's may be cancelled here
        CHILD_CHECK(octavo_cancel(instance_.handle(), open) == OCTAVO_CANCELLED);
        return true;
    }));
    Buffer output(64);
    std::size_t len = 0;
    EXPECT_EQ(octavo_wait(instance_.handle(), open, UINT64_MAX), OCTAVO_OK);
    EXPECT_EQ(octavo_result(instance_.handle(), open, output.data(), 64, &len), OCTAVO_OK);
    EXPECT_EQ(output, small_.raised);
    EXPECT_EQ(octavo_result(instance_.handle(), done, output.data(), 64, &len), OCTAVO_OK);
}

TEST_P(Fork, AFullRingIsEmptyInTheChild) {
    instance_ = make_instance(GetParam(), 4);
    const auto submission = plain_submission(small_.key, OCTAVO_RSA_PUBLIC, small_.plain);
    octavo_request requests[4];
    for (auto& request : requests) ASSERT_GE(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_OK);
    octavo_request more{};
    ASSERT_EQ(octavo_submit(instance_.handle(), &submission, &more), OCTAVO_RETRY);
    EXPECT_TRUE(true_in_child([&] {
        Buffer output(64);
        for (const auto request : requests) CHILD_CHECK(octavo_cancel(instance_.handle(), request) == OCTAVO_OK);
        for (auto& request : requests)
            CHILD_CHECK(octavo_submit(instance_.handle(), &submission, &request) >= OCTAVO_OK);
        std::size_t len = 0;
        for (const auto request : requests) {
            CHILD_CHECK(octavo_wait(instance_.handle(), request, UINT64_MAX) == OCTAVO_OK);
            CHILD_CHECK(octavo_result(instance_.handle(), request, output.data(), 64, &len) == OCTAVO_OK);
            CHILD_CHECK(output == small_.raised);
        }
        return true;
    }));
    EXPECT_EQ(octavo_submit(instance_.handle(), &submission, &more), OCTAVO_RETRY) << "the parent's is as it was";
}

TEST_P(Fork, WhatTheChildDestroysTheParentKeeps) {
    Flight flight{instance_.handle(), small_};
    ASSERT_TRUE(flight.take_off());
    EXPECT_TRUE(true_in_child([&] {
        CHILD_CHECK(octavo_key_destroy(small_.key.handle()) == OCTAVO_OK);
        CHILD_CHECK(octavo_instance_destroy(instance_.handle()) == OCTAVO_OK);
        CHILD_CHECK(octavo_poll(instance_.handle(), 1, nullptr) == OCTAVO_ERR_BAD_HANDLE);
        auto fresh = make_instance(GetParam());
        return generation(fresh.handle(), lanes_, 1);
    }));
    EXPECT_TRUE(flight.land());
}

TEST_P(Fork, KeyFirstUsedInTheChild) {
    const Problem fresh{random_parts(2048)};
    EXPECT_TRUE(true_in_child([&] { return generation(instance_.handle(), fresh, 1); }));
    EXPECT_TRUE(generation(instance_.handle(), fresh, 1));
}

TEST_P(Fork, InsideACallback) {
    struct Inside {
        const Problem* problem;
        Driver driver;
        int calls = 0;
        bool good = true;
    } inside{&small_, GetParam()};
    auto submission = plain_submission(small_.key, OCTAVO_RSA_PUBLIC, small_.plain);
    submission.callback_argument = &inside;
    submission.callback = [](void* self, octavo_request, octavo_status, const std::uint8_t*, std::size_t) {
        auto& in = *static_cast<Inside*>(self);
        if (in.calls++ == 0)
            in.good = static_cast<bool>(true_in_child([&] {
                auto fresh = make_instance(in.driver);
                return generation(fresh.handle(), *in.problem, 1);
            }));
    };
    for (int i = 0; i < 4; ++i) ASSERT_GE(octavo_submit(instance_.handle(), &submission, nullptr), OCTAVO_OK);
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return inside.calls == 4; }));
    EXPECT_TRUE(inside.good);
}

TEST_P(ForkBesideAnEngine, DescriptorIsAskedForAgain) {
    const auto fd = instance_.fd();
    ASSERT_TRUE(fd);
    Flight flight{instance_.handle(), small_};
    ASSERT_TRUE(flight.take_off());
    EXPECT_TRUE(true_in_child([&] {
        if (!flight.is_cancelled()) return false;
        CHILD_CHECK(instance_.fd());
        return generation(instance_.handle(), small_, 1);
    }));
    EXPECT_TRUE(flight.land());
    EXPECT_EQ(*instance_.fd(), *fd);
}

/// An eventfd is one object in both processes: a wake-up of the child's copy would wake the parent.
TEST_P(ForkBesideAnEngine, WakeupsStayTheParents) {
    const int event = eventfd(0, EFD_CLOEXEC);
    std::vector<octavo::Request> requests;
    for (int i = 0; i < 30; ++i)
        requests.push_back(
            *instance_.submit(lanes_.key, Operation::rsa_private, lanes_.raised, octavo::Wakeup::by_fd(event)));
    const auto in_place = statistics_of(instance_.handle()).in_place;
    EXPECT_TRUE(true_in_child([&] {
        for (auto& request : requests) CHILD_CHECK(request.wait() == octavo::Status::ok);
        return generation(instance_.handle(), lanes_, 0);
    }));
    std::uint64_t woken = 0, count = 0;
    while (woken + in_place < 30 && read(event, &count, sizeof count) == sizeof count) woken += count;
    for (auto& request : requests) EXPECT_EQ(request.wait(), octavo::Status::ok);
    instance_.reset();
    const int left = eventfd_write(event, 1) == 0 && read(event, &count, sizeof count) == sizeof count ? 0 : 1;
    EXPECT_EQ(left, 0);
    EXPECT_EQ(woken + in_place + count - 1, 30U);
    close(event);
}

// ---- under load ----

/// A thread that computes with its own instance until it is told to stop.
void compute(Driver driver, const Problem& small, const Problem& lanes, const std::atomic<bool>& stop,
             std::atomic<int>& rounds) {
    auto instance = make_instance(driver);
    Buffer output(64);
    while (!stop) {
        if (!generation(instance.handle(), rounds % 3 == 0 ? lanes : small, 0)) return;
        if (!instance.execute(small.key, Operation::rsa_private, small.raised, output) || output != small.plain) return;
        ++rounds;
    }
}

/// Two hundred children, each of which cancels, computes by old and new instances, and sometimes forks on.
void fork_and_check(const Problem& small, const Problem& lanes) {
    auto mine = make_instance(Driver::threads);
    for (int i = 0; i < 200; ++i) {
        Flight flight{mine.handle(), small};
        ASSERT_TRUE(flight.take_off());
        ASSERT_TRUE(true_in_child([&] {
            if (!flight.is_cancelled()) return false;
            Buffer output(64);
            CHILD_CHECK(mine.execute(small.key, Operation::rsa_private, small.raised, output));
            CHILD_CHECK(output == small.plain);
            auto fresh = make_instance(kAllDrivers[i % 3]);
            return generation(fresh.handle(), i % 10 == 0 ? lanes : small, i % 50 == 0 ? 2 : 0);
        })) << "fork "
            << i;
        ASSERT_TRUE(flight.land());
    }
}

TEST(ForkUnderLoad, TwoHundredTimesWhileOthersCompute) {
    if (kUnderTsan) GTEST_SKIP() << "fork in a process with threads is not supported under tsan";
    alarm(300);
    const Problem small{shared_parts(512)}, lanes{shared_parts(2048)};
    std::atomic<bool> stop{false};
    std::atomic<int> rounds[3] = {};
    std::vector<std::thread> threads;
    for (const auto driver : kAllDrivers)
        threads.emplace_back([&, driver] { compute(driver, small, lanes, stop, rounds[static_cast<int>(driver)]); });
    fork_and_check(small, lanes);
    int before[3], progressed = 0;
    for (int i = 0; i < 3; ++i) before[i] = rounds[i];
    for (int i = 0; i < 3; ++i) {
        while (rounds[i] == before[i]) std::this_thread::yield();  // the alarm ends a thread that has stopped
        ++progressed;
    }
    EXPECT_EQ(progressed, 3);
    stop = true;
    for (auto& thread : threads) thread.join();
    alarm(0);
}

}  // namespace
}  // namespace api_test
