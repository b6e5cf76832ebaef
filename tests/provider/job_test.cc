#include "octavo/job.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <poll.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <thread>

#include "keys.hpp"
#include "shim.hpp"
#include "support/leaks.hpp"

namespace octavo::test {
namespace {

Data sign(EVP_PKEY* key, unsigned seed) {
    const auto tbs = data(32, seed);
    const auto context = context_for(with_octavo(), key);
    Data signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    auto len = signature.size();
    if (EVP_PKEY_sign_init(context.get()) != 1 || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1 ||
        EVP_PKEY_sign(context.get(), signature.data(), &len, tbs.data(), tbs.size()) != 1)
        return {};
    return signature;
}

bool right(EVP_PKEY* key, unsigned seed, const Data& signature) {
    const auto tbs = data(32, seed);
    const auto context = context_for(with_octavo(), key);
    return EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), tbs.data(), tbs.size()) == 1;
}

constexpr unsigned long kMark = ERR_PACK(ERR_LIB_USER, 0, 77);

/// A job of our own runtime that signs once.
struct Signer {
    EVP_PKEY* key = nullptr;
    unsigned seed = 0;
    bool blocked = false;
    octavo_wait_context wait = octavo_wait_new();
    octavo_job job{};
    Data signature;
    bool done = false, own_errors = false;
    int pauses = 0;
    std::atomic<int> calls{0};

    Signer() = default;
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;
    ~Signer() { octavo_wait_free(wait); }

    static int run(void* argument) {
        auto& self = **static_cast<Signer**>(argument);
        ERR_raise(ERR_LIB_USER, 77);
        errno = E2BIG;
        if (self.blocked) octavo_job_block_pause();
        self.signature = sign(self.key, self.seed);
        self.own_errors = errno == E2BIG && ERR_peek_error() == kMark;
        ERR_clear_error();
        if (self.blocked) octavo_job_unblock_pause();
        return 1;
    }
    static int call(void* self) { return ++static_cast<Signer*>(self)->calls; }

    void step() {
        auto* self = this;
        errno = 0;
        const auto answer = octavo_job_start(&job, wait, nullptr, run, &self, sizeof self);
        EXPECT_EQ(ERR_peek_error(), 0U) << "a job left its errors to the thread";
        done = answer != OCTAVO_JOB_PAUSE;
        pauses += !done;
        EXPECT_TRUE(answer == OCTAVO_JOB_PAUSE || answer == OCTAVO_JOB_FINISH) << octavo_error_text();
    }
    bool readable(int timeout_ms) const {
        int fds[4];
        std::size_t count = 0;
        octavo_wait_get_all_fds(wait, nullptr, &count);
        EXPECT_EQ(count, 1U);
        if (count != 1) return false;
        octavo_wait_get_all_fds(wait, fds, &count);
        pollfd wanted{fds[0], POLLIN, 0};
        return poll(&wanted, 1, timeout_ms) == 1;
    }
    void expect_right() const {
        EXPECT_TRUE(done);
        EXPECT_TRUE(own_errors) << "errno or the error queue was not the job's any more";
        EXPECT_TRUE(right(key, seed, signature));
    }
};

std::deque<Signer> signers(std::size_t count, EVP_PKEY* key) {
    std::deque<Signer> all(count);
    unsigned seed = 0;
    for (auto& one : all) one.key = key, one.seed = ++seed;
    return all;
}

octavo_instance thread_instance() {
    octavo_instance instance{};
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK) << octavo_error_text();
    return instance;
}

octavo_statistics statistics() {
    octavo_statistics all{};
    all.size = sizeof all;
    EXPECT_EQ(octavo_instance_statistics(thread_instance(), &all), OCTAVO_OK);
    return all;
}

/// What a thread does whose event loop polls the device itself. Each in a thread of its own, as the instance is the thread's.
template <typename Body>
void polled_outside(Body&& body) {
    std::thread([&] {
        octavo_instance_config config{};
        config.size = sizeof config;
        config.driver = OCTAVO_DRIVER_INLINE;
        config.ring_size = 64;
        ASSERT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK) << octavo_error_text();
        body();
    }).join();
}

class OwnJobs : public testing::TestWithParam<std::size_t> {};

TEST_P(OwnJobs, WithDescriptors) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto all = signers(GetParam(), rsa.get());
    for (auto& one : all) one.step();
    for (auto& one : all)
        while (!one.done) {
            ASSERT_TRUE(one.readable(60000)) << "a wake-up was lost";
            one.step();
        }
    int pauses = 0;
    for (const auto& one : all) one.expect_right(), pauses += one.pauses;
    if (GetParam() > 1) {
        EXPECT_GE(pauses, static_cast<int>(GetParam()) / 2);
    }
}

TEST_P(OwnJobs, WithCallbacks) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    auto all = signers(GetParam(), rsa.get());
    for (auto& one : all) octavo_wait_set_callback(one.wait, Signer::call, &one), one.step();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (auto& one : all)
        for (int seen = 0; !one.done && std::chrono::steady_clock::now() < deadline; std::this_thread::yield()) {
            if (one.calls == seen) continue;
            seen = one.calls;
            one.step();
        }
    for (const auto& one : all) one.expect_right();
}

TEST_P(OwnJobs, PolledByTheirEventLoop) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    polled_outside([&] {
        auto all = signers(GetParam(), rsa.get());
        for (auto& one : all) octavo_wait_set_callback(one.wait, Signer::call, &one), one.step();
        std::uint64_t queued = 0;
        std::size_t waiting = 0;
        octavo_instance_progress(thread_instance(), &queued, &waiting);
        EXPECT_EQ(waiting, std::min<std::size_t>(GetParam(), 64));
        for (const auto& one : all) EXPECT_FALSE(one.done) << "computed before the loop polled";
        for (std::size_t left = all.size(); left > 0;) {
            ASSERT_EQ(octavo_poll(thread_instance(), SIZE_MAX, nullptr), OCTAVO_OK);
            for (auto& one : all)
                if (!one.done && one.calls.exchange(0) > 0) one.step(), left -= one.done;
        }
        for (const auto& one : all) one.expect_right();
        if (GetParam() == 16 && statistics().lane_requests > 0) {
            EXPECT_EQ(statistics().batch_size[7], 2U) << "sixteen that wait are two batches of eight";
        }
    });
}

TEST_P(OwnJobs, PolledByTheirEventLoopWithDescriptors) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    polled_outside([&] {
        auto all = signers(GetParam(), rsa.get());
        for (auto& one : all) one.step();
        for (std::size_t left = all.size(); left > 0;) {
            ASSERT_EQ(octavo_poll(thread_instance(), SIZE_MAX, nullptr), OCTAVO_OK);
            for (auto& one : all)
                if (!one.done && one.readable(0)) one.step(), left -= one.done;
        }
        for (const auto& one : all) one.expect_right();
    });
}

INSTANTIATE_TEST_SUITE_P(Counts, OwnJobs, testing::Values(1, 16, 100));

TEST(OwnJob, BlockedPauseIsDoneInPlace) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    const auto run = [&] {
        EXPECT_FALSE(sign(rsa.get(), 0).empty());  // what happens once in a process, and sets errno, has happened
        auto all = signers(4, rsa.get());
        for (auto& one : all) one.blocked = true, one.step();
        for (const auto& one : all) {
            one.expect_right();
            EXPECT_EQ(one.pauses, 0);
        }
    };
    run();
    polled_outside(run);
}

int sign_without_wait(void* argument) {
    auto& signer = **static_cast<Signer**>(argument);
    signer.signature = sign(signer.key, signer.seed);
    return 1;
}

TEST(OwnJob, WithoutAWaitContextIsDoneInPlace) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    Signer signer;
    signer.key = rsa.get();
    auto* self = &signer;
    octavo_job job{};
    EXPECT_EQ(octavo_job_start(&job, {0}, nullptr, sign_without_wait, &self, sizeof self), OCTAVO_JOB_FINISH);
    EXPECT_TRUE(right(rsa.get(), 0, signer.signature));
}

TEST(OwnJob, CancelledFailsAndCancelsItsRequest) {
    const auto rsa = key(Shape::rsa4096, with_octavo());
    polled_outside([&] {
        auto all = signers(8, rsa.get());
        for (auto& one : all) one.step();
        const int before = shim::cancelled;
        for (auto& one : all) {
            ASSERT_EQ(octavo_job_cancel(one.job), OCTAVO_OK);
            EXPECT_TRUE(one.signature.empty()) << "a cancelled job signed all the same";
        }
        EXPECT_GE(shim::cancelled - before, 8);
        EXPECT_EQ(octavo_poll(thread_instance(), SIZE_MAX, nullptr), OCTAVO_OK);
        for (const auto& one : all) EXPECT_EQ(one.calls, 0) << "told after the cancel";
        EXPECT_EQ(statistics().in_flight, 0U);
    });
}

TEST(OwnJob, DiscardedWithItsWaitContextCancelsItsRequest) {
    const auto rsa = key(Shape::rsa4096, with_octavo());
    for (const bool engine : {true, false}) {
        const auto run = [&] {
            const int before = shim::cancelled;
            int paused = 0;
            {
                auto all = signers(24, rsa.get());
                const LossesExpected held_by_discarded_jobs;
                for (auto& one : all) one.step(), paused += !one.done;
            }
            EXPECT_GT(paused, 0);
            EXPECT_GE(shim::cancelled - before, paused);
            auto others = signers(4, rsa.get());
            for (auto& one : others) one.blocked = true, one.step(), one.expect_right();
        };
        engine ? run() : polled_outside(run);
    }
}

TEST(OwnJob, FullRingWaitsForRoom) {
    const auto rsa = key(Shape::rsa2048, with_octavo());
    polled_outside([&] {
        auto all = signers(3, rsa.get());
        shim::retries = 4;
        for (auto& one : all) octavo_wait_set_callback(one.wait, Signer::call, &one), one.step();
        EXPECT_EQ(octavo_wait_get_status(all[0].wait), OCTAVO_WAIT_AGAIN);
        for (std::size_t left = all.size(); left > 0;) {
            octavo_poll(thread_instance(), SIZE_MAX, nullptr);
            for (auto& one : all)
                if (!one.done && one.calls.exchange(0) > 0) one.step(), left -= one.done;
        }
        for (const auto& one : all) one.expect_right();
    });
}

}  // namespace
}  // namespace octavo::test
