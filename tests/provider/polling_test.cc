#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "octavo/octavo.h"
#include "signing_jobs.hpp"
#include "support/engine_threads.hpp"
#include "support/polling_settings.hpp"

/// Every polling mode with every driver: the same signatures, by jobs that are woken by descriptors or callbacks, and without jobs.
namespace octavo::test {
namespace {

class Polling : public PollingTest {
protected:
    template <typename Runtime = AsyncRuntime>
    static void sign_in_jobs(const Load& load, Told told) {
        LoopOf<Runtime> loop{load, told};
        loop.start();
        if (GetParam().waits_for_a_poll()) {
            EXPECT_EQ(loop.num_paused(), load.num_jobs) << "computed before the application polled";
        }
        if (GetParam().is_external() && GetParam().waits_for_a_poll()) {
            EXPECT_EQ(num_in_flight(), static_cast<std::int32_t>(load.num_jobs));
        }
        loop.run(poll_as_the_mode_wants);
        EXPECT_TRUE(loop.all_right()) << load;
    }
};

TEST_P(Polling, JobsByDescriptors) {
    for (const auto& load : all_loads()) in_thread([&] { sign_in_jobs(load, Told::by_fd); });
}

TEST_P(Polling, JobsByCallbacks) {
    for (const auto& load : all_loads()) in_thread([&] { sign_in_jobs(load, Told::by_callback); });
}

/// Not 200: stacks of sanitized jobs are dear.
TEST_P(Polling, OurOwnJobs) {
    for (const std::size_t count : {1U, 16U})
        for (const auto told : {Told::by_fd, Told::by_callback})
            in_thread([&] { sign_in_jobs<OwnRuntime>(one_load(count), told); });
}

TEST_P(Polling, WithoutJobs) {
    for (const auto& load : all_loads())
        in_thread([&] {
            for (unsigned seed = 0; seed < load.num_jobs; ++seed)
                ASSERT_TRUE(load.of(seed).is_right(seed, load.of(seed).sign(seed))) << load << ", " << seed;
        });
}

/// The first callback may bring an engine thread, under jobs that were submitted without one.
TEST_P(Polling, CallbacksBesideDescriptors) {
    const auto load = one_load(16);
    in_thread([&] {
        Loop by_fd{load, Told::by_fd}, by_callback{load, Told::by_callback};
        by_fd.start();
        by_callback.start();
        by_callback.run(poll_as_the_mode_wants);
        by_fd.run(poll_as_the_mode_wants);
        EXPECT_TRUE(by_fd.all_right());
        EXPECT_TRUE(by_callback.all_right());
    });
}

TEST_P(Polling, JobsBringAnEngineThreadWhereOneIsNeeded) {
    const Load load{16, {rsa()}};
    in_thread([&] {
        const auto before = engine_threads();
        Loop loop{load, Told::by_fd};
        loop.start();
        EXPECT_EQ(num_engine_threads_since(before), GetParam().has_engine() ? 1U : 0U);
        loop.run(poll_as_the_mode_wants);
        EXPECT_TRUE(loop.all_right());
    });
}

/// A call outside of jobs while the thread's jobs wait: it folds itself in or computes in place, and does not hang.
TEST_P(Polling, WithoutAJobBesideJobs) {
    const auto load = one_load(16);
    in_thread([&] {
        Loop loop{load, Told::by_fd};
        loop.start();
        EXPECT_TRUE(load.of(77).is_right(77, load.of(77).sign(77)));
        loop.run(poll_as_the_mode_wants);
        EXPECT_TRUE(loop.all_right());
    });
}

TEST_P(Polling, ManyThreads) {
    const auto load = one_load(20);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.push_back(thread([&, t] {
            for (int round = 0; round < 2; ++round) {
                Loop loop{load, t % 2 == 0 ? Told::by_fd : Told::by_callback};
                loop.start();
                loop.run(poll_as_the_mode_wants);
                EXPECT_TRUE(loop.all_right());
            }
        }));
    for (auto& thread : threads) thread.join();
}

/// By default, in which nothing was chosen.
class DefaultPolling : public Polling {};

/// A program that need not expect a callback in the call that starts a job: it may still have to note what it started.
TEST_P(DefaultPolling, NoCallbackComesInTheCallThatStartsAJob) {
    const auto load = one_load(16);
    in_thread([&] {
        for (int round = 0; round < 4; ++round) {
            Loop loop{load, Told::by_callback};
            loop.start();
            loop.run(poll_as_the_mode_wants);
            EXPECT_TRUE(loop.all_right());
        }
        EXPECT_EQ(num_woken_inside, 0);
    });
}

/// The modes in which the application polls, from whatever thread.
class ExternalPolling : public Polling {};

/// One thread polls for all: the others only wait to be told.
TEST_P(ExternalPolling, AnotherThreadPolls) {
    const auto load = one_load(20);
    std::atomic<bool> is_over{false};
    std::thread poller([&] {
        while (!is_over) poll_as_the_mode_wants(), std::this_thread::yield();
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.push_back(thread([&, t] {
            for (int round = 0; round < 4; ++round) {
                Loop loop{load, t % 2 == 0 ? Told::by_fd : Told::by_callback};
                loop.start();
                loop.run([] { return false; });
                EXPECT_TRUE(loop.all_right());
            }
        }));
    for (auto& thread : threads) thread.join();
    is_over = true;
    poller.join();
}

TEST_P(ExternalPolling, TheApplicationSleepsOnTheDescriptor) {
    const auto load = one_load(16);
    in_thread([&] {
        int fd = -1;
        ASSERT_EQ(octavo_polling_fd(0, &fd), OCTAVO_OK) << octavo_error_text();
        for (int round = 0; round < 5; ++round) {
            pollfd wanted{fd, POLLIN, 0};
            EXPECT_EQ(::poll(&wanted, 1, 0), 0) << "readable with nothing to do";
            Loop loop{load, Told::by_fd};
            loop.start();
            loop.run([&] {
                EXPECT_EQ(::poll(&wanted, 1, 60'000), 1) << "not told that there is something to poll";
                EXPECT_EQ(octavo_polling_poll(0, nullptr), OCTAVO_OK);
                return true;
            });
            EXPECT_TRUE(loop.all_right());
            octavo_polling_poll(0, nullptr);
        }
    });
}

TEST_P(Polling, AcrossAFork) {
    const auto load = one_load(16);
    in_thread([&] {
        Loop loop{load, Told::by_fd};
        loop.start();
        const auto child = fork();
        if (child == 0) {
            loop.run_blindly();  // the descriptors are the parent's
            const bool is_right = loop.all_right();
            Loop other{load, Told::by_fd};
            other.start();
            other.run(poll_as_the_mode_wants);
            _exit(is_right && other.all_right() && num_in_flight() == 0 ? 0 : 1);
        }
        loop.run(poll_as_the_mode_wants);
        EXPECT_TRUE(loop.all_right());
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    });
}

/// Jobs that nobody resumes; kept, since OpenSSL has no way to end them.
std::vector<ASYNC_JOB*>& abandoned = *new std::vector<ASYNC_JOB*>;

TEST_P(Polling, AbandonedJobsLeaveNothingInFlight) {
    const auto signing = rsa();
    in_thread([&] {
        std::deque<Job> jobs(16);
        for (auto& job : jobs) {
            job.signing = &signing;
            job.step();
            if (!job.done) abandoned.push_back(job.job);
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Modes, Polling, testing::ValuesIn(kPollingSettings), test_name);
bool is_default(const PollingSetting& setting) { return setting.mode == OCTAVO_POLLING_DEFAULT; }
bool is_external(const PollingSetting& setting) { return setting.is_external(); }
INSTANTIATE_TEST_SUITE_P(Modes, DefaultPolling, testing::ValuesIn(settings_that(is_default)), test_name);
INSTANTIATE_TEST_SUITE_P(Modes, ExternalPolling, testing::ValuesIn(settings_that(is_external)), test_name);

}  // namespace
}  // namespace octavo::test
