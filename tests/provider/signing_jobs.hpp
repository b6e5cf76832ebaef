#pragma once

#include <openssl/async.h>
#include <openssl/rsa.h>
#include <poll.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "curve_keys.hpp"
#include "keys.hpp"
#include "octavo/job.h"
#include "octavo/octavo.h"

/// Jobs, OpenSSL's or ours, that sign through the provider, and the event loop of their thread.
namespace octavo::test {

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

inline Signing rsa() { return {key(Shape::rsa2048, with_octavo()), true}; }
inline Signing p256() { return {curve_key(group_named("P256"), 1, with_octavo()), false}; }

/// What jobs sign with, in turn: jobs of one kind share batches, of several they share a ring.
using Kinds = std::vector<Signing>;
struct Load {
    std::size_t num_jobs;
    Kinds kinds;
    const Signing& of(unsigned seed) const { return kinds[seed % kinds.size()]; }
};
inline std::ostream& operator<<(std::ostream& out, const Load& load) {
    return out << load.num_jobs << " jobs, " << load.kinds.size() << " kinds";
}
/// RSA takes ten times as long.
inline Kinds mostly_p256() {
    Kinds kinds(8, p256());
    kinds.back() = rsa();
    return kinds;
}
/// One job, a batch or two, and more than a batch holds.
inline std::vector<Load> all_loads() {
    return {{1, {rsa()}}, {1, {p256()}}, {16, {rsa()}}, {16, {p256()}}, {200, mostly_p256()}};
}
inline Load one_load(std::size_t num_jobs) { return {num_jobs, {p256()}}; }

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

/// Of the calling thread: whether it starts or resumes a job, and how many callbacks came meanwhile.
inline thread_local bool is_stepping = false;
inline thread_local int num_woken_inside = 0;

/// OpenSSL's jobs.
struct AsyncRuntime {
    using Job = ASYNC_JOB*;
    using Wait = ASYNC_WAIT_CTX*;

    static Wait make_wait() { return ASYNC_WAIT_CTX_new(); }
    static void free_wait(Wait wait) { ASYNC_WAIT_CTX_free(wait); }
    static void set_callback(Wait wait, int (*call)(void*), void* argument) {
        ASYNC_WAIT_CTX_set_callback(wait, call, argument);
    }
    /// Whether it has ended.
    static bool step(Job& job, Wait wait, int (*main)(void*), void* argument, std::size_t len) {
        int result = 0;
        const auto answer = ASYNC_start_job(&job, wait, &result, main, argument, len);
        EXPECT_TRUE(answer == ASYNC_PAUSE || answer == ASYNC_FINISH) << answer;
        return answer != ASYNC_PAUSE;
    }
    static std::vector<int> fds(Wait wait) {
        std::size_t count = 0;
        ASYNC_WAIT_CTX_get_all_fds(wait, nullptr, &count);
        std::vector<int> all(count);
        ASYNC_WAIT_CTX_get_all_fds(wait, all.data(), &count);
        return all;
    }
};

/// Ours.
struct OwnRuntime {
    using Job = octavo_job;
    using Wait = octavo_wait_context;

    static Wait make_wait() { return octavo_wait_new(); }
    static void free_wait(Wait wait) { octavo_wait_free(wait); }
    static void set_callback(Wait wait, int (*call)(void*), void* argument) {
        octavo_wait_set_callback(wait, call, argument);
    }
    static bool step(Job& job, Wait wait, int (*main)(void*), void* argument, std::size_t len) {
        const auto answer = octavo_job_start(&job, wait, nullptr, main, argument, len);
        EXPECT_TRUE(answer == OCTAVO_JOB_PAUSE || answer == OCTAVO_JOB_FINISH) << octavo_error_text();
        return answer != OCTAVO_JOB_PAUSE;
    }
    static std::vector<int> fds(Wait wait) {
        std::size_t count = 0;
        octavo_wait_get_all_fds(wait, nullptr, &count);
        std::vector<int> all(count);
        octavo_wait_get_all_fds(wait, all.data(), &count);
        return all;
    }
};

template <typename Runtime>
struct JobOf {
    const Signing* signing = nullptr;
    unsigned seed = 0;
    ReadyList* ready = nullptr;  // where it is woken by a callback
    typename Runtime::Wait wait = Runtime::make_wait();
    int fd = -1;  // else, since its last pause
    typename Runtime::Job job{};
    Data signature;
    bool done = false;

    JobOf() = default;
    JobOf(const JobOf&) = delete;
    JobOf& operator=(const JobOf&) = delete;
    ~JobOf() { Runtime::free_wait(wait); }

    static int main(void* argument) {
        auto& self = **static_cast<JobOf**>(argument);
        self.signature = self.signing->sign(self.seed);
        return 1;
    }
    static int woken(void* argument) {
        auto& self = *static_cast<JobOf*>(argument);
        num_woken_inside += is_stepping;
        self.ready->add(self.seed);
        return 1;
    }
    void step() {
        auto* self = this;
        is_stepping = true;
        done = Runtime::step(job, wait, main, &self, sizeof self);
        is_stepping = false;
        if (!done && ready == nullptr) find_fd();
    }
    void find_fd() {
        const auto fds = Runtime::fds(wait);
        ASSERT_EQ(fds.size(), 1U);
        fd = fds[0];
    }
};
using Job = JobOf<AsyncRuntime>;

enum class Told { by_fd, by_callback };

/// An event loop of one thread with its jobs. The load outlives it.
template <typename Runtime>
class LoopOf {
public:
    LoopOf(const Load& load, Told told) : told_(told), jobs_(load.num_jobs) {
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            auto& job = jobs_[i];
            job.seed = static_cast<unsigned>(i);
            job.signing = &load.of(job.seed);
            if (told == Told::by_fd) continue;
            job.ready = &ready_;
            Runtime::set_callback(job.wait, JobOf<Runtime>::woken, &job);
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
        std::vector<JobOf<Runtime>*> of;
        for (auto& job : jobs_)
            if (!job.done) fds.push_back({job.fd, POLLIN, 0}), of.push_back(&job);
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
    std::deque<JobOf<Runtime>> jobs_;
};
using Loop = LoopOf<AsyncRuntime>;

}  // namespace octavo::test
