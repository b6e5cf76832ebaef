#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <random>

#include "support.hpp"

/// octavo_cancel() in each state, callbacks that call back, and keys and instances that go away under their requests.

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;

/// A callback's argument on the heap: freed the moment it must not be used any more, so that a late use is a crash under the
/// sanitizers and a failed check elsewhere.
struct Ticket {
    explicit Ticket(int* count) : calls(count) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { alive = 0; }
    static void run(void* self, octavo_request, octavo_status, const std::uint8_t*, std::size_t) {
        auto* ticket = static_cast<Ticket*>(self);
        ASSERT_EQ(ticket->alive, kAlive);
        ++*ticket->calls;
    }
    static constexpr std::uint64_t kAlive = 0x6c61766976652121;
    volatile std::uint64_t alive = kAlive;
    int* calls;
};

class Cancel : public testing::TestWithParam<Driver> {
protected:
    octavo_submission with_ticket(Ticket* ticket) {
        auto submission = plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
        submission.callback = &Ticket::run;
        submission.callback_argument = ticket;
        return submission;
    }
    octavo_request accepted(const octavo_submission& submission) {
        octavo_request request{};
        EXPECT_GE(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_OK);
        EXPECT_NE(request.id, 0U);
        return request;
    }
    octavo_status cancel(octavo_request request) { return octavo_cancel(instance_.handle(), request); }
    void drain() {
        for (int i = 0; i < 3; ++i) EXPECT_EQ(octavo_poll(instance_.handle(), SIZE_MAX, nullptr), OCTAVO_OK);
    }
    void expect_void(octavo_request request) {
        std::size_t len = 0;
        Buffer output(2048);
        EXPECT_EQ(cancel(request), OCTAVO_CANCELLED);
        EXPECT_EQ(octavo_wait(instance_.handle(), request, 0), OCTAVO_ERR_BAD_HANDLE);
        EXPECT_EQ(octavo_result(instance_.handle(), request, output.data(), output.size(), &len),
                  OCTAVO_ERR_BAD_HANDLE);
    }

    const RsaParts& parts_ = shared_parts(512);
    octavo::Key key_ = make_key(parts_);
    octavo::Instance instance_ = make_instance(GetParam());
    Buffer input_ = random_below(parts_.n);
    int calls_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Drivers, Cancel, testing::ValuesIn(kAllDrivers), driver_name);

TEST_P(Cancel, Queued) {
    for (int i = 0; i < 100; ++i) {
        auto ticket = std::make_unique<Ticket>(&calls_);
        const auto request = accepted(with_ticket(ticket.get()));
        EXPECT_EQ(cancel(request), OCTAVO_OK);
        ticket.reset();
        expect_void(request);
    }
    drain();
    EXPECT_EQ(calls_, 0);
    const auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.cancelled, 100U);
    EXPECT_EQ(s.in_flight, 0U);
    EXPECT_TRUE(adds_up(s));
}

TEST_P(Cancel, WhileTheBatchRuns) {
    const auto slow = make_key(shared_parts(4096));
    const auto slow_input = random_below(shared_parts(4096).n);
    std::vector<std::pair<octavo_request, std::unique_ptr<Ticket>>> requests;
    for (int i = 0; i < 24; ++i) {
        auto ticket = std::make_unique<Ticket>(&calls_);
        auto submission = with_ticket(ticket.get());
        submission.key = slow.handle();
        submission.operation = OCTAVO_RSA_PRIVATE;
        submission.input = slow_input.data();
        submission.input_len = slow_input.size();
        requests.emplace_back(accepted(submission), std::move(ticket));
    }
    EXPECT_EQ(octavo_wait(instance_.handle(), requests[12].first, 2'000'000) < 0, false);  // somewhere in the middle
    for (auto& [request, ticket] : requests) {
        EXPECT_EQ(cancel(request), OCTAVO_OK);
        ticket.reset();
        expect_void(request);
    }
    // what comes after finds a device in order
    const auto request = accepted(plain_submission(key_, OCTAVO_RSA_PUBLIC, input_));
    EXPECT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
    Buffer output(64);
    std::size_t len = 0;
    EXPECT_EQ(octavo_result(instance_.handle(), request, output.data(), 64, &len), OCTAVO_OK);
    EXPECT_EQ(output, mod_exp(input_, parts_.e, parts_.n));
    drain();
    EXPECT_EQ(calls_, 0);
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

TEST_P(Cancel, DoneAndNotReaped) {
    auto ticket = std::make_unique<Ticket>(&calls_);
    const auto request = accepted(with_ticket(ticket.get()));
    ASSERT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
    EXPECT_EQ(cancel(request), OCTAVO_OK);
    ticket.reset();
    expect_void(request);
    drain();
    EXPECT_EQ(calls_, 0);
    const auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.in_flight, 0U);
    EXPECT_TRUE(adds_up(s));
}

TEST_P(Cancel, DoneAndFetched) {
    const auto request = accepted(plain_submission(key_, OCTAVO_RSA_PUBLIC, input_));
    ASSERT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
    Buffer output(64);
    std::size_t len = 0;
    ASSERT_EQ(octavo_result(instance_.handle(), request, output.data(), 64, &len), OCTAVO_OK);
    for (int i = 0; i < 3; ++i) expect_void(request);
    EXPECT_EQ(statistics_of(instance_.handle()).cancelled, 0U);
}

TEST_P(Cancel, Reaped) {
    Ticket ticket{&calls_};
    const auto request = accepted(with_ticket(&ticket));
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return calls_ == 1; }));
    expect_void(request);
    const auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.completed, 1U);
    EXPECT_EQ(s.cancelled, 0U);
    EXPECT_EQ(calls_, 1);
}

TEST_P(Cancel, HandleOfALaterRequestInTheSameSlotIsAnother) {
    instance_ = make_instance(GetParam(), 2);
    const auto first = accepted(plain_submission(key_, OCTAVO_RSA_PUBLIC, input_));
    ASSERT_EQ(cancel(first), OCTAVO_OK);
    drain();
    for (int i = 0; i < 20; ++i) {
        octavo_request later{};
        const auto submission = plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
        ASSERT_TRUE(poll_until(instance_.handle(),
                               [&] { return octavo_submit(instance_.handle(), &submission, &later) != OCTAVO_RETRY; }));
        ASSERT_NE(later.id, first.id);
        EXPECT_EQ(cancel(first), OCTAVO_CANCELLED);
        EXPECT_EQ(octavo_wait(instance_.handle(), later, UINT64_MAX), OCTAVO_OK);
        EXPECT_EQ(cancel(later), OCTAVO_OK);
    }
}

/// Random times between submission and cancel, from nothing to several service times.
TEST_P(Cancel, AtAnyMoment) {
    std::minstd_rand random{7};
    const auto slow = make_key(shared_parts(1024));
    const auto slow_input = random_below(shared_parts(1024).n);
    for (int i = 0; i < 400; ++i) {
        auto ticket = std::make_unique<Ticket>(&calls_);
        auto submission = with_ticket(ticket.get());
        submission.key = slow.handle();
        submission.operation = OCTAVO_RSA_PRIVATE;
        submission.input = slow_input.data();
        submission.input_len = slow_input.size();
        if (i % 200 == 199) drain();  // a cancelled request keeps its place until the device has passed it
        const auto request = accepted(submission);
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{random() % 600};
        while (std::chrono::steady_clock::now() < until)
            if (random() % 8 == 0) octavo_wait(instance_.handle(), request, 0);
        ASSERT_EQ(cancel(request), OCTAVO_OK);
        ticket.reset();
    }
    drain();
    EXPECT_EQ(calls_, 0);
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

// ---- keys and instances that go away ----

TEST_P(Cancel, KeyDestroyedWhileInFlight) {
    auto submission = plain_submission(key_, OCTAVO_RSA_PRIVATE, input_);
    std::vector<octavo_request> requests;
    for (int i = 0; i < 20; ++i) requests.push_back(accepted(submission));
    ASSERT_EQ(octavo_key_destroy(key_.release()), OCTAVO_OK);
    octavo_request none{};
    EXPECT_EQ(octavo_submit(instance_.handle(), &submission, &none), OCTAVO_ERR_BAD_HANDLE);
    for (const auto request : requests) {
        Buffer output(64);
        std::size_t len = 0;
        ASSERT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
        ASSERT_EQ(octavo_result(instance_.handle(), request, output.data(), 64, &len), OCTAVO_OK);
        EXPECT_EQ(mod_exp(output, parts_.e, parts_.n), input_);
    }
}

TEST_P(Cancel, KeyDestroyedThenCancelled) {
    const auto request = accepted(plain_submission(key_, OCTAVO_RSA_PRIVATE, input_));
    key_.reset();
    EXPECT_EQ(cancel(request), OCTAVO_OK);
    drain();
}

TEST_P(Cancel, InstanceDestroyedWhileInFlight) {
    for (int round = 0; round < 30; ++round) {
        std::vector<std::unique_ptr<Ticket>> tickets;
        for (int i = 0; i < 20; ++i) {
            tickets.push_back(std::make_unique<Ticket>(&calls_));
            accepted(with_ticket(tickets.back().get()));
        }
        const auto handle = instance_.release();
        ASSERT_EQ(octavo_instance_destroy(handle), OCTAVO_OK);
        tickets.clear();
        EXPECT_EQ(octavo_instance_destroy(handle), OCTAVO_ERR_BAD_HANDLE);
        EXPECT_EQ(octavo_poll(handle, 1, nullptr), OCTAVO_ERR_BAD_HANDLE);
        instance_ = make_instance(GetParam());
    }
    EXPECT_EQ(calls_, 0);
}

// ---- calls from within a callback ----

struct Inside {
    octavo_instance instance;
    octavo_submission submission;  // what submitting() submits
    octavo_request victim;
    int calls = 0;
    std::vector<octavo_status> answers;
};

TEST_P(Cancel, PollWaitAndDestroyInsideACallbackAreRefused) {
    Inside inside{instance_.handle(), plain_submission(key_, OCTAVO_RSA_PUBLIC, input_), {}, 0, {}};
    auto submission = inside.submission;
    submission.callback_argument = &inside;
    submission.callback = [](void* argument, octavo_request request, octavo_status, const std::uint8_t*, std::size_t) {
        auto& in = *static_cast<Inside*>(argument);
        in.answers.push_back(octavo_poll(in.instance, 1, nullptr));
        in.answers.push_back(octavo_wait(in.instance, request, 0));
        in.answers.push_back(octavo_instance_destroy(in.instance));
        ++in.calls;
    };
    for (int i = 0; i < 3; ++i) accepted(submission);
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return inside.calls == 3; }));
    EXPECT_EQ(inside.answers, std::vector<octavo_status>(9, OCTAVO_ERR_BAD_ARGUMENT));
    EXPECT_EQ(statistics_of(instance_.handle()).completed, 3U);
}

TEST_P(Cancel, SubmitInsideACallback) {
    instance_ = make_instance(GetParam(), 2);
    Inside inside{instance_.handle(), plain_submission(key_, OCTAVO_RSA_PUBLIC, input_), {}, 0, {}};
    inside.submission.callback_argument = &inside;
    inside.submission.callback = [](void* argument, octavo_request, octavo_status status, const std::uint8_t*,
                                    std::size_t) {
        auto& in = *static_cast<Inside*>(argument);
        EXPECT_EQ(status, OCTAVO_OK);
        if (++in.calls < 100) in.answers.push_back(octavo_submit(in.instance, &in.submission, nullptr));
    };
    EXPECT_GE(octavo_submit(instance_.handle(), &inside.submission, nullptr), OCTAVO_OK) << "a null request is allowed";
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return inside.calls == 100; }));
    for (const auto answer : inside.answers) EXPECT_TRUE(answer == OCTAVO_PENDING || answer == OCTAVO_OK);
    EXPECT_EQ(statistics_of(instance_.handle()).completed, 100U);
}

TEST_P(Cancel, AnotherRequestInsideACallback) {
    for (int round = 0; round < 20; ++round) {
        auto victim = std::make_unique<Ticket>(&calls_);
        Inside inside{instance_.handle(), plain_submission(key_, OCTAVO_RSA_PUBLIC, input_), {}, 0, {}};
        inside.submission.callback_argument = &inside;
        inside.submission.callback = [](void* argument, octavo_request self, octavo_status, const std::uint8_t*,
                                        std::size_t) {
            auto& in = *static_cast<Inside*>(argument);
            in.answers.push_back(octavo_cancel(in.instance, in.victim));
            octavo_cancel(in.instance, self);
            ++in.calls;
        };
        // either order of submission: the victim may be before or after the canceller in the same poll
        if (round % 2 == 0) accepted(inside.submission);
        inside.victim = accepted(with_ticket(victim.get()));
        if (round % 2 != 0) accepted(inside.submission);
        const int before = calls_;
        ASSERT_TRUE(poll_until(instance_.handle(), [&] { return inside.calls == 1; }));
        ASSERT_EQ(inside.answers.size(), 1U);
        EXPECT_EQ(inside.answers[0], calls_ == before ? OCTAVO_OK : OCTAVO_CANCELLED);
        victim.reset();
        drain();
    }
}

}  // namespace
}  // namespace api_test
