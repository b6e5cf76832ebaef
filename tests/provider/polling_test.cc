#include <openssl/async.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "curve_keys.hpp"
#include "keys.hpp"
#include "octavo/octavo.h"

/// Every polling mode with both drivers: the same signatures, by jobs that are woken by descriptors or callbacks, and without jobs.
namespace octavo::test {
namespace {

struct Setting {
    octavo_polling_mode mode;
    octavo_driver driver;
};
std::string name_of(const Setting& setting) {
    constexpr const char* modes[] = {"default", "timer", "event", "external", "heuristic", "inline"};
    constexpr const char* drivers[] = {"", "_inline", "_threads"};
    return std::string{modes[setting.mode]} + drivers[setting.driver];
}
std::ostream& operator<<(std::ostream& out, const Setting& setting) { return out << name_of(setting); }

/// From the sixth to the ninth the application polls.
constexpr Setting kSettings[] = {
    {OCTAVO_POLLING_DEFAULT, OCTAVO_DRIVER_AUTO},      {OCTAVO_POLLING_TIMER, OCTAVO_DRIVER_INLINE},
    {OCTAVO_POLLING_TIMER, OCTAVO_DRIVER_THREADS},     {OCTAVO_POLLING_EVENT, OCTAVO_DRIVER_INLINE},
    {OCTAVO_POLLING_EVENT, OCTAVO_DRIVER_THREADS},     {OCTAVO_POLLING_EXTERNAL, OCTAVO_DRIVER_INLINE},
    {OCTAVO_POLLING_EXTERNAL, OCTAVO_DRIVER_THREADS},  {OCTAVO_POLLING_HEURISTIC, OCTAVO_DRIVER_INLINE},
    {OCTAVO_POLLING_HEURISTIC, OCTAVO_DRIVER_THREADS}, {OCTAVO_POLLING_INLINE, OCTAVO_DRIVER_INLINE},
    {OCTAVO_POLLING_INLINE, OCTAVO_DRIVER_THREADS},
};

/// A key and what a signature with it takes.
struct Signing {
    Pkey key;
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
        self.ready->add(self.seed);
        return 1;
    }
    void step() {
        auto* self = this;
        int result = 0;
        const auto answer = ASYNC_start_job(&job, wait, &result, main, &self, sizeof self);
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
    Loop(const Signing& signing, std::size_t count, Told told) : signing_(signing), told_(told), jobs_(count) {
        for (std::size_t i = 0; i < count; ++i) {
            auto& job = jobs_[i];
            job.signing = &signing;
            job.seed = static_cast<unsigned>(i);
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
            if (!job.done || !signing_.is_right(job.seed, job.signature)) return false;
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

    const Signing& signing_;
    const Told told_;
    ReadyList ready_;
    std::deque<Job> jobs_;
};

std::int32_t in_flight() {
    const volatile std::int32_t* count = nullptr;
    EXPECT_EQ(octavo_polling_in_flight(OCTAVO_IN_FLIGHT_ASYMMETRIC, &count), OCTAVO_OK);
    return *count;
}

class Polling : public testing::TestWithParam<Setting> {
protected:
    void SetUp() override {
        octavo_polling_reset();
        octavo_polling settings{};
        settings.size = sizeof settings;
        settings.mode = GetParam().mode;
        settings.driver = GetParam().driver;
        ASSERT_EQ(octavo_polling_set(&settings), OCTAVO_OK) << octavo_error_text();
    }
    void TearDown() override {
        EXPECT_EQ(in_flight(), 0);
        octavo_polling_reset();
    }

    static bool is_external() {
        return GetParam().mode == OCTAVO_POLLING_EXTERNAL || GetParam().mode == OCTAVO_POLLING_HEURISTIC;
    }
    /// What the application does for its part: whether it is its part.
    static bool poll_as_the_mode_wants() {
        if (!is_external()) return false;
        if (GetParam().mode == OCTAVO_POLLING_HEURISTIC && in_flight() == 0) return true;
        EXPECT_EQ(octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr), OCTAVO_OK) << octavo_error_text();
        return true;
    }
    /// In a thread of its own, as the instance is the thread's.
    template <typename Body>
    static void in_thread(Body&& body) {
        std::thread(std::forward<Body>(body)).join();
    }
    static void sign_in_jobs(const Signing& signing, std::size_t count, Told told) {
        Loop loop{signing, count, told};
        loop.start();
        if (is_external() && GetParam().driver == OCTAVO_DRIVER_INLINE) {
            EXPECT_EQ(loop.num_paused(), count) << "computed before the application polled";
            EXPECT_EQ(in_flight(), static_cast<std::int32_t>(count));
        }
        loop.run(poll_as_the_mode_wants);
        EXPECT_TRUE(loop.all_right()) << count << " jobs";
    }
};

TEST_P(Polling, JobsByDescriptors) {
    const Signing all[] = {rsa(), p256()};
    for (const std::size_t count : {1, 16, 200})
        for (const auto& signing : all) in_thread([&] { sign_in_jobs(signing, count, Told::by_fd); });
}

TEST_P(Polling, JobsByCallbacks) {
    const Signing all[] = {rsa(), p256()};
    for (const std::size_t count : {1, 16, 200})
        for (const auto& signing : all) in_thread([&] { sign_in_jobs(signing, count, Told::by_callback); });
}

TEST_P(Polling, WithoutJobs) {
    const Signing all[] = {rsa(), p256()};
    for (const std::size_t count : {1, 16, 200})
        for (const auto& signing : all)
            in_thread([&] {
                for (unsigned seed = 0; seed < count; ++seed)
                    ASSERT_TRUE(signing.is_right(seed, signing.sign(seed))) << seed;
            });
}

/// A call outside of jobs while the thread's jobs wait: it folds itself in or computes in place, and does not hang.
TEST_P(Polling, WithoutAJobBesideJobs) {
    const auto signing = p256();
    in_thread([&] {
        Loop loop{signing, 16, Told::by_fd};
        loop.start();
        EXPECT_TRUE(signing.is_right(77, signing.sign(77)));
        loop.run(poll_as_the_mode_wants);
        EXPECT_TRUE(loop.all_right());
    });
}

TEST_P(Polling, ManyThreads) {
    const auto signing = p256();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int round = 0; round < 4; ++round) {
                Loop loop{signing, 20, t % 2 == 0 ? Told::by_fd : Told::by_callback};
                loop.start();
                loop.run(poll_as_the_mode_wants);
                EXPECT_TRUE(loop.all_right());
            }
        });
    for (auto& thread : threads) thread.join();
}

/// The modes in which the application polls.
class ExternalPolling : public Polling {};

/// One thread polls for all: the others only wait to be told.
TEST_P(ExternalPolling, AnotherThreadPolls) {
    const auto signing = p256();
    std::atomic<bool> is_over{false};
    std::thread poller([&] {
        while (!is_over) poll_as_the_mode_wants(), std::this_thread::yield();
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            for (int round = 0; round < 4; ++round) {
                Loop loop{signing, 20, t % 2 == 0 ? Told::by_fd : Told::by_callback};
                loop.start();
                loop.run([] { return false; });
                EXPECT_TRUE(loop.all_right());
            }
        });
    for (auto& thread : threads) thread.join();
    is_over = true;
    poller.join();
}

TEST_P(ExternalPolling, TheApplicationSleepsOnTheDescriptor) {
    const auto signing = p256();
    in_thread([&] {
        int fd = -1;
        ASSERT_EQ(octavo_polling_fd(0, &fd), OCTAVO_OK) << octavo_error_text();
        for (int round = 0; round < 5; ++round) {
            pollfd wanted{fd, POLLIN, 0};
            EXPECT_EQ(::poll(&wanted, 1, 0), 0) << "readable with nothing to do";
            Loop loop{signing, 16, Told::by_fd};
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
    const auto signing = p256();
    in_thread([&] {
        Loop loop{signing, 16, Told::by_fd};
        loop.start();
        const auto child = fork();
        if (child == 0) {
            loop.run_blindly();  // the descriptors are the parent's
            const bool is_right = loop.all_right();
            Loop other{signing, 16, Told::by_fd};
            other.start();
            other.run(poll_as_the_mode_wants);
            _exit(is_right && other.all_right() && in_flight() == 0 ? 0 : 1);
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

INSTANTIATE_TEST_SUITE_P(Modes, ExternalPolling, testing::ValuesIn(kSettings + 5, kSettings + 9),
                         [](const auto& setting) { return name_of(setting.param); });
INSTANTIATE_TEST_SUITE_P(Modes, Polling, testing::ValuesIn(kSettings),
                         [](const auto& setting) { return name_of(setting.param); });

}  // namespace
}  // namespace octavo::test
