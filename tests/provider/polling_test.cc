#include <openssl/async.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "curve_keys.hpp"
#include "keys.hpp"
#include "octavo/octavo.h"
#include "support/engine_threads.hpp"
#include "support/polling_settings.hpp"

/// Every polling mode with every driver: the same signatures, by jobs that are woken by descriptors or callbacks, and without jobs.
namespace octavo::test {
namespace {

/// A key and what a signature with it takes.
struct Signing {
    std::shared_ptr<EVP_PKEY> key;
    bool is_rsa;

    Data sign(unsigned seed) const {
        const auto tbs = data(32, seed);
        const auto context = context_for(with_octavo(), key.get());
        Data signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
        auto len = signature.size();
        const bool good = EVP_PKEY_sign_init(context.get()) == 1 && pad(context.get()) &&
                          EVP_PKEY_sign(context.get(), signature.data(), &len, tbs.data(), tbs.size()) == 1;
        signature.resize(good ? len : 0);
        return signature;
    }
    bool is_right(unsigned seed, const Data& signature) const {
        const auto tbs = data(32, seed);
        const auto context = context_for(with_octavo(), key.get());
        return EVP_PKEY_verify_init(context.get()) == 1 && pad(context.get()) &&
               EVP_PKEY_verify(context.get(), signature.data(), signature.size(), tbs.data(), tbs.size()) == 1;
    }

private:
    bool pad(EVP_PKEY_CTX* context) const {
        return !is_rsa || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                           EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
    }
};

Signing rsa() { return {key(Shape::rsa2048, with_octavo()), true}; }
Signing p256() { return {curve_key(group_named("P256"), 1, with_octavo()), false}; }

/// What jobs sign with, in turn: jobs of one kind share batches, of several they share a ring.
using Kinds = std::vector<Signing>;
struct Load {
    std::size_t num_jobs;
    Kinds kinds;
    const Signing& of(unsigned seed) const { return kinds[seed % kinds.size()]; }
};
std::ostream& operator<<(std::ostream& out, const Load& load) {
    return out << load.num_jobs << " jobs, " << load.kinds.size() << " kinds";
}
/// One job, a batch or two, and more than a batch holds.
std::vector<Load> all_loads() {
    return {{1, {rsa()}}, {1, {p256()}}, {16, {rsa()}}, {16, {p256()}}, {200, {p256(), p256(), p256(), rsa()}}};
}
Load one_load(std::size_t num_jobs) { return {num_jobs, {p256()}}; }

/// Jobs whose callbacks have come, in that order.
class ReadyList {
public:
    void add(std::size_t job) {
        const std::lock_guard lock{mutex_};
        ready_.push_back(job);
        condition_.notify_one();
    }
    /// SIZE_MAX where none comes in time.
    std::size_t take(std::chrono::milliseconds patience) {
        std::unique_lock lock{mutex_};
        if (!condition_.wait_for(lock, patience, [this] { return !ready_.empty(); })) return SIZE_MAX;
        const auto job = ready_.front();
        ready_.pop_front();
        return job;
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    std::deque<std::size_t> ready_;
};

/// Of the calling thread: whether it is in ASYNC_start_job(), and how many callbacks came meanwhile.
thread_local bool is_stepping = false;
thread_local int num_woken_inside = 0;

struct Job {
    const Signing* signing = nullptr;
    unsigned seed = 0;
    ReadyList* ready = nullptr;  // where it is woken by a callback
    ASYNC_WAIT_CTX* wait = ASYNC_WAIT_CTX_new();
    ASYNC_JOB* job = nullptr;
    Data signature;
    bool done = false;

    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() { ASYNC_WAIT_CTX_free(wait); }

    static int main(void* argument) {
        auto& self = **static_cast<Job**>(argument);
        self.signature = self.signing->sign(self.seed);
        return 1;
    }
    static int woken(void* argument) {
        auto& self = *static_cast<Job*>(argument);
        num_woken_inside += is_stepping;
        self.ready->add(self.seed);
        return 1;
    }
    void step() {
        auto* self = this;
        int result = 0;
        is_stepping = true;
        const auto answer = ASYNC_start_job(&job, wait, &result, main, &self, sizeof self);
        is_stepping = false;
        EXPECT_TRUE(answer == ASYNC_PAUSE || answer == ASYNC_FINISH) << answer;
        done = answer != ASYNC_PAUSE;
    }
    int fd() const {
        OSSL_ASYNC_FD fds[8];
        std::size_t count = 0;
        ASYNC_WAIT_CTX_get_all_fds(wait, nullptr, &count);
        EXPECT_EQ(count, 1U);
        ASYNC_WAIT_CTX_get_all_fds(wait, fds, &count);
        return count == 1 ? fds[0] : -1;
    }
};

enum class Told { by_fd, by_callback };

/// An event loop of one thread with its jobs.
class Loop {
public:
    Loop(const Load& load, Told told) : told_(told), jobs_(load.num_jobs) {
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            auto& job = jobs_[i];
            job.seed = static_cast<unsigned>(i);
            job.signing = &load.of(job.seed);
            if (told == Told::by_fd) continue;
            job.ready = &ready_;
            ASYNC_WAIT_CTX_set_callback(job.wait, Job::woken, &job);
        }
    }

    void start() {
        for (auto& job : jobs_) job.step();
    }
    std::size_t num_paused() const {
        std::size_t count = 0;
        for (const auto& job : jobs_) count += !job.done;
        return count;
    }
    /// Resumes jobs as they are told; `poll` is called where the application polls.
    template <typename Poll>
    void run(Poll&& poll) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (num_paused() > 0) {
            const int patience_ms = poll() ? 0 : 60'000;
            told_ == Told::by_fd ? step_readable(patience_ms) : step_called(patience_ms);
            if (std::chrono::steady_clock::now() < limit) continue;
            FAIL() << num_paused() << " jobs are not woken";
        }
    }
    /// Resumes all without being told.
    void run_blindly() {
        while (num_paused() > 0)
            for (auto& job : jobs_)
                if (!job.done) job.step();
    }
    bool all_right() const {
        for (const auto& job : jobs_)
            if (!job.done || !job.signing->is_right(job.seed, job.signature)) return false;
        return true;
    }

private:
    void step_readable(int patience_ms) {
        std::vector<pollfd> fds;
        std::vector<Job*> of;
        for (auto& job : jobs_)
            if (!job.done) fds.push_back({job.fd(), POLLIN, 0}), of.push_back(&job);
        ASSERT_GE(::poll(fds.data(), fds.size(), patience_ms), 0);
        for (std::size_t i = 0; i < fds.size(); ++i)
            if (fds[i].revents != 0) of[i]->step();
    }
    void step_called(int patience_ms) {
        for (auto i = ready_.take(std::chrono::milliseconds{patience_ms}); i != SIZE_MAX;
             i = ready_.take(std::chrono::milliseconds{0}))
            if (!jobs_[i].done) jobs_[i].step();
    }

    const Told told_;
    ReadyList ready_;
    std::deque<Job> jobs_;
};

class Polling : public PollingTest {
protected:
    static void sign_in_jobs(const Load& load, Told told) {
        Loop loop{load, told};
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
    const auto load = one_load(16);
    in_thread([&] {
        const auto before = engine_threads();
        Loop loop{load, Told::by_fd};
        loop.start();
        std::uint32_t computes = 99;
        EXPECT_EQ(octavo_instance_waiter_computes(thread_instance(), &computes), OCTAVO_OK);
        // once there is an engine thread, it computes
        EXPECT_EQ(computes, GetParam().waiter_computes() ? 1U : 0U);
        std::size_t num_new = 0;
        for (const auto one : engine_threads()) num_new += std::count(before.begin(), before.end(), one) == 0;
        EXPECT_EQ(num_new, GetParam().has_engine() ? 1U : 0U);
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
