#include <fcntl.h>
#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "keys.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

/// What runs in a job: true where all of it came out right.
using Work = bool (*)(EVP_PKEY* key, unsigned seed);

bool sign_and_verify(EVP_PKEY* key, unsigned seed) {
    const auto tbs = data(32, seed);
    Data signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    auto len = signature.size();
    for (const int padding : {RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING}) {
        const auto signer = context_for(with_octavo(), key);
        if (EVP_PKEY_sign_init(signer.get()) != 1 || EVP_PKEY_CTX_set_rsa_padding(signer.get(), padding) != 1 ||
            EVP_PKEY_CTX_set_signature_md(signer.get(), EVP_sha256()) != 1 ||
            EVP_PKEY_sign(signer.get(), signature.data(), &len, tbs.data(), tbs.size()) != 1)
            return false;
        const auto verifier = context_for(with_octavo(), key);
        if (EVP_PKEY_verify_init(verifier.get()) != 1 || EVP_PKEY_CTX_set_rsa_padding(verifier.get(), padding) != 1 ||
            EVP_PKEY_CTX_set_signature_md(verifier.get(), EVP_sha256()) != 1 ||
            EVP_PKEY_verify(verifier.get(), signature.data(), len, tbs.data(), tbs.size()) != 1)
            return false;
    }
    return true;
}

bool encrypt_and_decrypt(EVP_PKEY* key, unsigned seed) {
    const auto message = data(40, seed);
    Data ciphertext(512), out(512);
    auto len = ciphertext.size();
    const auto encrypter = context_for(with_octavo(), key), decrypter = context_for(with_octavo(), key);
    if (EVP_PKEY_encrypt_init(encrypter.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(encrypter.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_encrypt(encrypter.get(), ciphertext.data(), &len, message.data(), message.size()) != 1)
        return false;
    auto out_len = out.size();
    if (EVP_PKEY_decrypt_init(decrypter.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(decrypter.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_decrypt(decrypter.get(), out.data(), &out_len, ciphertext.data(), len) != 1)
        return false;
    out.resize(out_len);
    return out == message;
}

struct Job {
    Work work = sign_and_verify;
    EVP_PKEY* key = nullptr;
    unsigned seed = 0;
    ASYNC_WAIT_CTX* wait = ASYNC_WAIT_CTX_new();
    ASYNC_JOB* job = nullptr;
    bool right = false, done = false;
    int pauses = 0;

    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() { ASYNC_WAIT_CTX_free(wait); }

    static int run(void* argument) {
        auto& self = **static_cast<Job**>(argument);
        self.right = self.work(self.key, self.seed);
        return 1;
    }
    void step() {
        int result = 0;
        auto* self = this;
        switch (ASYNC_start_job(&job, wait, &result, run, &self, sizeof self)) {
            case ASYNC_PAUSE:
                ++pauses;
                return;
            case ASYNC_FINISH:
                done = true;
                return;
            default:
                ADD_FAILURE() << "no job";
                done = true;
        }
    }
    std::vector<int> fds() const {
        std::size_t count = 0;
        ASYNC_WAIT_CTX_get_all_fds(wait, nullptr, &count);
        std::vector<int> all(count);
        ASYNC_WAIT_CTX_get_all_fds(wait, all.data(), &count);
        return all;
    }
    int fd() const {
        const auto all = fds();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? -1 : all[0];
    }
    bool finish() {
        while (!done) {
            pollfd wanted{fd(), POLLIN, 0};
            if (poll(&wanted, 1, 60000) != 1) return false;
            step();
        }
        return right;
    }
};

std::deque<Job> jobs_of(std::size_t count, EVP_PKEY* key, Work work = sign_and_verify) {
    std::deque<Job> jobs(count);
    unsigned seed = 0;
    for (auto& job : jobs) {
        job.key = key;
        job.work = work;
        job.seed = ++seed;
    }
    return jobs;
}

/// An event loop: sleeps until a job's descriptor is readable.
void run_with_fds(std::deque<Job>& jobs, bool start = true) {
    if (start)
        for (auto& job : jobs) job.step();
    while (true) {
        std::vector<pollfd> wanted;
        std::vector<Job*> waiting;
        for (auto& job : jobs)
            if (!job.done) {
                wanted.push_back({job.fd(), POLLIN, 0});
                waiting.push_back(&job);
            }
        if (waiting.empty()) return;
        ASSERT_GT(poll(wanted.data(), wanted.size(), 20000), 0) << "a wake-up was lost";
        for (std::size_t i = 0; i < waiting.size(); ++i)
            if (wanted[i].revents != 0) waiting[i]->step();
    }
}

int pauses(const std::deque<Job>& jobs) {
    int sum = 0;
    for (const auto& job : jobs) sum += job.pauses;
    return sum;
}

void expect_right(const std::deque<Job>& jobs) {
    for (const auto& job : jobs) EXPECT_TRUE(job.done && job.right);
}

class Jobs : public testing::TestWithParam<std::size_t> {};

TEST_P(Jobs, WithDescriptors) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    std::set<int> fds;
    for (const auto work : {sign_and_verify, encrypt_and_decrypt}) {
        auto jobs = jobs_of(GetParam(), rsa.get(), work);
        run_with_fds(jobs);
        expect_right(jobs);
        for (const auto& job : jobs)
            if (job.pauses > 0) fds.insert(job.fd());
        if (GetParam() > 1) {
            EXPECT_GE(pauses(jobs), static_cast<int>(GetParam()));
        }
    }
    const auto is_open = [](int fd) { return fcntl(fd, F_GETFD) != -1; };
    EXPECT_LE(std::count_if(fds.begin(), fds.end(), is_open), 1)
        << "descriptors outlived their wait contexts; one number may have come back, as that of the thread's spare";
}

std::mutex called_mutex;
std::deque<Job*> called;

int call(void* argument) {
    const std::lock_guard lock(called_mutex);
    called.push_back(static_cast<Job*>(argument));
    return 1;
}

Job* next_called() {
    const std::lock_guard lock(called_mutex);
    if (called.empty()) return nullptr;
    auto* job = called.front();
    called.pop_front();
    return job;
}

TEST_P(Jobs, WithCallbacks) {
    const auto rsa = key(Shape::three_primes, with_octavo());
    auto jobs = jobs_of(GetParam(), rsa.get());
    std::size_t left = jobs.size();
    for (auto& job : jobs) {
        ASYNC_WAIT_CTX_set_callback(job.wait, call, &job);
        job.step();
        left -= job.done;
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (left != 0 && std::chrono::steady_clock::now() < deadline) {
        auto* job = next_called();
        if (job == nullptr) {
            std::this_thread::yield();
            continue;
        }
        if (job->done) continue;
        job->step();
        left -= job->done;
    }
    EXPECT_EQ(left, 0U) << "a callback was lost";
    expect_right(jobs);
    for (const auto& job : jobs)
        for (const int fd : job.fds()) {
            pollfd quiet{fd, POLLIN, 0};
            EXPECT_EQ(poll(&quiet, 1, 0), 0);
        }
    const std::lock_guard lock(called_mutex);
    called.clear();
}

TEST_P(Jobs, ResumedWithoutWaiting) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto jobs = jobs_of(GetParam(), rsa.get());
    for (bool all = false; !all;) {
        all = true;
        for (auto& job : jobs) {
            if (!job.done) job.step();
            all = all && job.done;
        }
    }
    expect_right(jobs);
}

/// The reply that a job was woken for may be behind all the others.
TEST_P(Jobs, ResumedInTheOrderLastToFirst) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto jobs = jobs_of(GetParam(), rsa.get());
    for (auto& job : jobs) job.step();
    for (auto& job : jobs) {
        if (job.done) continue;
        pollfd wanted{job.fd(), POLLIN, 0};
        ASSERT_EQ(poll(&wanted, 1, 60000), 1);
    }
    for (auto job = jobs.rbegin(); job != jobs.rend(); ++job)
        if (!job->done) job->step();
    run_with_fds(jobs, false);
    expect_right(jobs);
}

INSTANTIATE_TEST_SUITE_P(Counts, Jobs, testing::Values(1, 16, 200));

TEST(Job, KeepsItsDescriptorFromOneOperationToTheNext) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto jobs = jobs_of(16, rsa.get());
    run_with_fds(jobs);
    std::vector<int> fds;
    for (auto& job : jobs) {
        fds.push_back(job.fd());
        job.done = false;
    }
    run_with_fds(jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(jobs[i].fd(), fds[i]);
    expect_right(jobs);
    for (const auto& job : jobs) {
        pollfd quiet{job.fd(), POLLIN, 0};
        EXPECT_EQ(poll(&quiet, 1, 0), 0) << "a wake-up was left in the descriptor";
    }
}

/// Which of the descriptors are readable.
std::vector<std::size_t> readable(std::vector<pollfd>& wanted) {
    EXPECT_GE(poll(wanted.data(), wanted.size(), 0), 0);
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i].revents != 0) found.push_back(i);
    return found;
}

/// What one descriptor for all, or one for a thread, could not do.
TEST(Job, AThousandPausedHaveDescriptorsOfTheirOwn) {
    constexpr std::size_t kJobs = 1000;
    rlimit files{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    if (files.rlim_max < 2 * kJobs) GTEST_SKIP() << "only " << files.rlim_max << " descriptors: ulimit -Hn";
    files.rlim_cur = std::max<rlim_t>(files.rlim_cur, 2 * kJobs);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto jobs = jobs_of(kJobs, rsa.get());
    shim::hold();
    for (auto& job : jobs) job.step();
    ASSERT_EQ(shim::num_held(), kJobs);
    std::vector<pollfd> wanted;
    std::set<int> fds;
    for (const auto& job : jobs) {
        wanted.push_back({job.fd(), POLLIN, 0});
        fds.insert(job.fd());
    }
    EXPECT_EQ(fds.size(), kJobs);
    EXPECT_TRUE(readable(wanted).empty());
    for (std::size_t i = 0; i < kJobs; ++i) {
        const auto target = i * 617 % kJobs;  // every one once, for 617 and 1,000 have no common factor
        const auto wakeup = shim::held_wakeup(target);
        ASSERT_EQ(wakeup.fd, wanted[target].fd);
        ASSERT_EQ(eventfd_write(wakeup.fd, 1), 0);
        ASSERT_EQ(readable(wanted), std::vector{target});
        jobs[target].step();  // nothing is there yet: it takes the wake-up and pauses again
        ASSERT_FALSE(jobs[target].done);
        ASSERT_EQ(jobs[target].fd(), wanted[target].fd);
        ASSERT_TRUE(readable(wanted).empty());
    }
    shim::release();
    for (auto& job : jobs) job.step();
    run_with_fds(jobs, false);
    expect_right(jobs);
}

/// HAProxy dies of a descriptor that it was never told to watch.
TEST(Job, ThatNeverPausesLeavesNoDescriptor) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    int unpaused = 0;
    for (int i = 0; i < 32; ++i) {
        auto jobs = jobs_of(1, rsa.get(), encrypt_and_decrypt);
        run_with_fds(jobs);
        expect_right(jobs);
        if (jobs[0].pauses > 0) continue;
        ++unpaused;
        EXPECT_TRUE(jobs[0].fds().empty());
    }
    EXPECT_GT(unpaused, 0);
}

/// Jobs that nobody will resume; kept, since OpenSSL has no way to end them.
std::vector<ASYNC_JOB*>& abandoned = *new std::vector<ASYNC_JOB*>;

int abandon(std::deque<Job>& jobs) {
    int count = 0;
    for (auto& job : jobs) {
        job.step();
        if (!job.done) abandoned.push_back(job.job), ++count;
    }
    return count;
}

TEST(AbandonedJob, CancelsItsRequestWithItsWaitContext) {
    const auto rsa = key(Shape::rsa4096, with_octavo());
    const int before = shim::cancelled;
    int count = 0;
    {
        auto jobs = jobs_of(24, rsa.get());
        count = abandon(jobs);
    }
    EXPECT_GT(count, 0);
    EXPECT_EQ(shim::cancelled - before, count);
    auto jobs = jobs_of(16, rsa.get());
    run_with_fds(jobs);
    expect_right(jobs);
}

TEST(AbandonedJob, WaitContextIsUsedAgain) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto jobs = jobs_of(8, rsa.get());
    EXPECT_GT(abandon(jobs), 0);
    for (auto& job : jobs) job.job = nullptr, job.done = false;
    run_with_fds(jobs);
    expect_right(jobs);
}

TEST(AbandonedJob, WaitContextIsFreedByAnotherThread) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto jobs = std::make_unique<std::deque<Job>>(jobs_of(16, rsa.get()));
    EXPECT_GT(abandon(*jobs), 0);
    std::thread([&] { jobs.reset(); }).join();
    auto others = jobs_of(16, rsa.get());
    run_with_fds(others);
    expect_right(others);
}

TEST(AbandonedJob, ItsThreadEnds) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    std::deque<Job> jobs = jobs_of(16, rsa.get());
    std::thread([&] { abandon(jobs); }).join();
    EXPECT_TRUE(sign_and_verify(rsa.get(), 1));
}

bool blocked_sign(EVP_PKEY* key, unsigned seed) {
    ASYNC_block_pause();
    const bool right = sign_and_verify(key, seed);
    ASYNC_unblock_pause();
    return right;
}

TEST(BlockedJob, WaitsInPlace) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto others = jobs_of(8, rsa.get());
    for (auto& job : others) job.step();
    auto jobs = jobs_of(8, rsa.get(), blocked_sign);
    for (auto& job : jobs) job.step();
    EXPECT_EQ(pauses(jobs), 0);
    expect_right(jobs);
    for (auto& job : others) EXPECT_TRUE(job.finish());
}

TEST(FullRing, RetriesAndThenComputesInPlace) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    for (const int retries : {1, 5, 1000}) {
        auto jobs = jobs_of(1, rsa.get());
        shim::retries = retries;
        const int before = shim::executed;
        run_with_fds(jobs);
        expect_right(jobs);
        EXPECT_EQ(shim::executed > before, retries == 1000);
        shim::retries = 0;
    }
}

bool sign_with_errors_pending(EVP_PKEY* key, unsigned seed) {
    ERR_raise_data(ERR_LIB_USER, 77, "left by job %u", seed);
    errno = static_cast<int>(1000 + seed);
    const auto tbs = data(20, seed);
    Data signature(256);
    auto len = signature.size();
    const auto signer = context_for(with_octavo(), key);
    if (EVP_PKEY_sign_init(signer.get()) != 1 ||
        EVP_PKEY_sign(signer.get(), signature.data(), &len, tbs.data(), tbs.size()) != 1)
        return false;
    const char* text = nullptr;
    int flags = 0;
    const bool right = errno == static_cast<int>(1000 + seed) &&
                       ERR_GET_REASON(ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags)) == 77 &&
                       text == "left by job " + std::to_string(seed) && ERR_get_error() == 0;
    ERR_clear_error();
    return right;
}

TEST(PausedJob, KeepsItsErrorsAndLeavesNoneToOthers) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto jobs = jobs_of(16, rsa.get(), sign_with_errors_pending);
    for (auto& job : jobs) {
        job.step();
        EXPECT_EQ(ERR_peek_error(), 0U);
        errno = 0;
    }
    EXPECT_GT(pauses(jobs), 0);
    for (auto& job : jobs) {
        EXPECT_TRUE(job.finish());
        EXPECT_EQ(ERR_peek_error(), 0U);
    }
}

TEST(Threads, ShareAKey) {
    // A fresh key: the threads race to register it.
    const Pkey rsa(EVP_PKEY_dup(key(Shape::rsa2048, with_octavo()).get()));
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (unsigned t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (unsigned i = 0; i < 8; ++i) right += sign_and_verify(rsa.get(), t * 100 + i);
            auto jobs = jobs_of(8, rsa.get());
            run_with_fds(jobs);
            for (const auto& job : jobs) right += job.right;
            ASYNC_cleanup_thread();
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 8 * 16);
}

int in_child(std::deque<Job>& jobs, EVP_PKEY* rsa) {
    if (!sign_and_verify(rsa, 5)) return 1;
    // The parent's requests are lost to a child; its copies of the jobs are not.
    for (auto& job : jobs)
        while (!job.done) job.step();
    for (const auto& job : jobs)
        if (!job.right) return 2;
    auto fresh = jobs_of(16, rsa);
    run_with_fds(fresh);
    for (const auto& job : fresh)
        if (!job.right) return 3;
    // Wait contexts that were made before the fork go on as well, with descriptors that are not the parent's any more.
    for (auto& job : jobs) job.done = false;
    run_with_fds(jobs);
    for (const auto& job : jobs) {
        pollfd quiet{job.fd(), POLLIN, 0};
        if (!job.right) return 4;
        if (poll(&quiet, 1, 0) != 0) return 6;
    }
    return testing::Test::HasFailure() ? 5 : 0;
}

TEST(Fork, BothSidesFinishTheirJobs) {
    const auto rsa = key(Shape::rsa4096, with_octavo());
    for (int round = 0; round < 3; ++round) {
        auto jobs = jobs_of(24, rsa.get());
        for (auto& job : jobs) job.step();
        const auto child = fork();
        if (child == 0) {
            // At any depth.
            const auto grandchild = fork();
            const int answer = in_child(jobs, rsa.get());
            int status = 0;
            if (grandchild == 0) _exit(answer);
            waitpid(grandchild, &status, 0);
            _exit(answer != 0 || !WIFEXITED(status) ? answer : WEXITSTATUS(status));
        }
        for (auto& job : jobs) EXPECT_TRUE(job.finish()) << "a request was lost in the parent";
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 0);
    }
}

}  // namespace
}  // namespace octavo::test
