// octavo/job.hpp: owners, and coroutines over requests, against OpenSSL's big numbers.
#include <array>
#include <memory>
#include <octavo/octavo.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "api/support.hpp"

namespace {

using api_test::Buffer;
using octavo::JobResult;
using octavo::Operation;
using octavo::Result;
using octavo::Status;
using octavo::Task;

TEST(JobOwner, RunsAndPauses) {
    octavo::Job job([] {
        EXPECT_TRUE(octavo::this_job::exists());
        EXPECT_EQ(octavo::this_job::pause(), Status::ok);
        const octavo::this_job::BlockPause block;
        EXPECT_EQ(octavo::this_job::pause(), Status::retry);
        return 9;
    });
    EXPECT_FALSE(octavo::this_job::exists());
    EXPECT_EQ(job.run(), JobResult::pause);
    EXPECT_TRUE(job.is_paused());
    EXPECT_EQ(job.run(), JobResult::finish);
    EXPECT_FALSE(job.is_paused());
    EXPECT_EQ(job.value(), 9);
}

TEST(JobOwner, ItsEndCancels) {
    int hooks = 0;
    auto seen = Status::ok;
    {
        auto hook = [&](bool discarded) noexcept { hooks += discarded ? 100 : 1; };
        octavo::Job job([&] {
            seen = octavo::this_job::pause(hook);
            return 0;
        });
        EXPECT_EQ(job.run(), JobResult::pause);
    }
    EXPECT_EQ(seen, Status::cancelled);
    EXPECT_EQ(hooks, 1);
}

TEST(JobOwner, AWaitsEndDiscards) {
    auto wait = octavo::Wait::create();
    ASSERT_TRUE(wait);
    ASSERT_TRUE(wait.wakeup());
    EXPECT_EQ(wait.notify(), Status::ok);
    EXPECT_EQ(wait.drain(), Status::ok);
    octavo::Job job([] { return static_cast<int>(octavo::this_job::pause()); }, &wait);
    EXPECT_EQ(job.run(), JobResult::pause);
    wait = octavo::Wait{};
    EXPECT_EQ(job.run(), JobResult::error);
    EXPECT_EQ(job.cancel(), Status::bad_handle);
}

class Coroutine : public testing::TestWithParam<octavo::Driver> {
protected:
    const api_test::RsaParts& parts_ = api_test::shared_parts(1024);
    octavo::Key key_ = api_test::make_key(parts_);
    octavo::Instance instance_ = api_test::make_instance(GetParam());

    /// Signs, and verifies what it signed: two requests, one after the other.
    Task<bool> round_trip(Buffer message) {
        Buffer signature(message.size()), opened(message.size());
        const auto signed_len = co_await octavo::submit(instance_, key_, Operation::rsa_private, message, signature);
        if (!signed_len || *signed_len != message.size()) co_return false;
        if (signature != api_test::mod_exp(message, parts_.d, parts_.n)) co_return false;
        const auto opened_len = co_await octavo::submit(instance_, key_, Operation::rsa_public, signature, opened);
        co_return opened_len&& opened == message;
    }
    Task<int> sum_of(int num) {
        int good = 0;
        for (int i = 0; i < num; ++i) good += co_await round_trip(api_test::random_below(parts_.n)) ? 1 : 0;
        co_return good;
    }
    bool poll_until(auto&& done) { return api_test::poll_until(instance_.handle(), done); }
};

TEST_P(Coroutine, AwaitsRequests) {
    auto task = round_trip(api_test::random_below(parts_.n));
    EXPECT_FALSE(task.done());
    task.start();
    EXPECT_TRUE(poll_until([&] { return task.done(); }));
    EXPECT_TRUE(task.result());
}

TEST_P(Coroutine, AwaitsOthers) {
    auto task = sum_of(5);
    task.start();
    EXPECT_TRUE(poll_until([&] { return task.done(); }));
    EXPECT_EQ(task.result(), 5);
}

TEST_P(Coroutine, ManyAtOnce) {
    std::vector<Task<bool>> tasks;
    for (int i = 0; i < 100; ++i) tasks.push_back(round_trip(api_test::random_below(parts_.n)));
    for (auto& task : tasks) task.start();
    EXPECT_TRUE(
        poll_until([&] { return std::all_of(tasks.begin(), tasks.end(), [](auto& task) { return task.done(); }); }));
    for (auto& task : tasks) EXPECT_TRUE(task.result());
}

Task<Status> one(octavo::Instance& instance, const octavo::Key& key, Buffer input, std::size_t output_len) {
    Buffer output(output_len);
    const auto done = co_await octavo::submit(instance, key, Operation::rsa_private, input, output);
    co_return done.status();
}

TEST_P(Coroutine, HearsOfErrorsAtOnceAndLater) {
    auto bad = one(instance_, key_, Buffer(5), 128);
    bad.start();
    EXPECT_TRUE(bad.done());
    EXPECT_EQ(bad.result(), Status::bad_length);
    auto narrow = one(instance_, key_, api_test::random_below(parts_.n), 127);
    narrow.start();
    EXPECT_TRUE(poll_until([&] { return narrow.done(); }));
    EXPECT_EQ(narrow.result(), Status::bad_length);
}

TEST_P(Coroutine, RetryIsAnAnswer) {
    instance_ = api_test::make_instance(GetParam(), 2);
    std::vector<Task<Status>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(one(instance_, key_, api_test::random_below(parts_.n), 128));
    for (auto& task : tasks) task.start();
    EXPECT_TRUE(tasks[2].done());
    EXPECT_EQ(tasks[2].result(), Status::retry);
    EXPECT_TRUE(poll_until([&] { return tasks[0].done() && tasks[1].done(); }));
    EXPECT_EQ(tasks[1].result(), Status::ok);
}

/// Says when it goes.
struct Flag {
    bool* gone;
    explicit Flag(bool& flag) : gone(&flag) {}
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;
    ~Flag() { *gone = true; }
};

Task<> wait_with(octavo::Instance& instance, const octavo::Key& key, Buffer input, bool& gone) {
    const Flag flag(gone);
    Buffer output(input.size());
    (void)co_await octavo::submit(instance, key, Operation::rsa_private, input, output);
    ADD_FAILURE() << "went on";
}

TEST_P(Coroutine, ItsEndCancelsWhatItAwaits) {
    bool gone = false;
    {
        auto task = wait_with(instance_, key_, api_test::random_below(parts_.n), gone);
        task.start();
    }
    EXPECT_TRUE(gone);
    EXPECT_TRUE(poll_until([&] { return api_test::statistics_of(instance_.handle()).in_flight == 0; }));
    EXPECT_EQ(api_test::statistics_of(instance_.handle()).cancelled, 1U);
}

Task<int> thrower(octavo::Instance& instance, const octavo::Key& key, Buffer input) {
    Buffer output(input.size());
    (void)co_await octavo::submit(instance, key, Operation::rsa_private, input, output);
    throw std::runtime_error("from the task");
}

Task<std::string> catcher(octavo::Instance& instance, const octavo::Key& key, Buffer input) {
    try {
        (void)co_await thrower(instance, key, std::move(input));
    } catch (const std::runtime_error& error) {
        co_return error.what();
    }
    co_return "nothing";
}

TEST_P(Coroutine, ExceptionsGoToWhoeverAwaits) {
    auto task = catcher(instance_, key_, api_test::random_below(parts_.n));
    task.start();
    EXPECT_TRUE(poll_until([&] { return task.done(); }));
    EXPECT_EQ(task.result(), "from the task");
    auto alone = thrower(instance_, key_, api_test::random_below(parts_.n));
    alone.start();
    EXPECT_TRUE(poll_until([&] { return alone.done(); }));
    EXPECT_THROW(alone.result(), std::runtime_error);
}

INSTANTIATE_TEST_SUITE_P(Drivers, Coroutine, testing::ValuesIn(api_test::kAllDrivers), api_test::driver_name);

}  // namespace
