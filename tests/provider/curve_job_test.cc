#include <openssl/err.h>

#include <atomic>
#include <functional>
#include <thread>

#include "curve_keys.hpp"
#include "octavo/job.h"
#include "places.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

Data sign(EVP_PKEY* key) {
    const auto context = context_for(with_octavo(), key);
    const auto tbs = data(32, 1);
    Data signature(200);
    auto len = signature.size();
    const bool good = EVP_PKEY_sign_init(context.get()) == 1 &&
                      EVP_PKEY_sign(context.get(), signature.data(), &len, tbs.data(), tbs.size()) == 1;
    signature.resize(good ? len : 0);
    return signature;
}

bool right(EVP_PKEY* key, const Data& signature) {
    const auto context = context_for(with_octavo(), key);
    const auto tbs = data(32, 1);
    return EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), tbs.data(), tbs.size()) == 1;
}

Data sign_message(EVP_PKEY* key) {
    const MdContext context(EVP_MD_CTX_new());
    const auto message = data(50, 1);
    Data signature(200);
    auto len = signature.size();
    const bool good =
        EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, with_octavo(), nullptr, key, nullptr) == 1 &&
        EVP_DigestSign(context.get(), signature.data(), &len, message.data(), message.size()) == 1;
    signature.resize(good ? len : 0);
    return signature;
}

int call(void* argument) {
    (**static_cast<const std::function<void()>**>(argument))();
    return 1;
}

/// Starts the work in a job of a thread that polls by itself, which pauses it, and cancels it. What the work then leaves in the queue.
std::string cancelled(const std::function<void()>& work) {
    std::string reason;
    std::thread([&] {
        octavo_instance_config config{};
        config.size = sizeof config;
        config.driver = OCTAVO_DRIVER_INLINE;
        ASSERT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK) << octavo_error_text();
        const std::function<void()> noted = [&] {
            work();
            const auto* text = ERR_reason_error_string(ERR_peek_last_error());
            reason = text == nullptr ? "none" : text;
            ERR_clear_error();
        };
        const auto wait = octavo_wait_new();
        octavo_job job{};
        const auto* pointer = &noted;
        ASSERT_EQ(octavo_job_start(&job, wait, nullptr, call, &pointer, sizeof pointer), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(octavo_job_cancel(job), OCTAVO_OK);
        octavo_wait_free(wait);
    }).join();
    return reason;
}

TEST(CancelledJob, ComputesNothingAnyMore) {
    const auto& group = group_named("P256");
    const auto p256 = curve_key(group, 1, with_octavo()), other = curve_key(group, 2, with_octavo());
    const auto x25519 = curve_key(group_named("X25519"), 1, with_octavo());
    Data result;
    Pkey made;
    EXPECT_EQ(cancelled([&] { result = sign(p256.get()); }), "the job was cancelled");
    EXPECT_TRUE(result.empty());
    EXPECT_EQ(cancelled([&] {
                  const auto context = context_for(with_octavo(), p256.get());
                  EVP_PKEY_derive_init(context.get());
                  EVP_PKEY_derive_set_peer(context.get(), other.get());
                  Data secret(32);
                  auto len = secret.size();
                  EXPECT_NE(EVP_PKEY_derive(context.get(), secret.data(), &len), 1);
              }),
              "the job was cancelled");
    Trace trace;
    cancelled([&] { made = generate(trace, with_octavo(), group); });
    EXPECT_EQ(made, nullptr);
    EXPECT_NE(trace.text().find("keygen = 0, the job was cancelled"), std::string::npos) << trace.text();
    const auto ed25519 = curve_key(kEdwardsGroups[0], 1, with_octavo());
    EXPECT_EQ(cancelled([&] { result = sign_message(ed25519.get()); }), "the job was cancelled");
    EXPECT_TRUE(result.empty());
}

/// Threads race to read a key's numbers, to make its twin and to register it.
TEST(Threads, ShareKeysOnCurves) {
    for (int round = 0; round < 10; ++round) {
        const auto adopted = curve_key(group_named("P256"), 1, with_octavo());
        Pkey fresh;
        Trace trace;
        in_own_job([&] { fresh = generate(trace, with_octavo(), group_named("P256")); });
        std::vector<std::thread> threads;
        std::atomic<int> good{0};
        for (int t = 0; t < 6; ++t)
            threads.emplace_back([&, t] {
                const auto work = [&] {
                    for (auto* key : {adopted.get(), fresh.get()}) {
                        good += right(key, sign(key));
                        good += !plain_derive(with_octavo(), key, key).empty();
                    }
                };
                (t % 2 == 0 ? in_own_job : in_no_job)(work);
            });
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(good, 6 * 4);
    }
}

/// One after the other in jobs: OpenSSL's own way, but for a probe now and then.
TEST(CurveJobs, WhoeverIsAloneTakesTheTwin) {
    shim::takes_all = false;
    const auto key = curve_key(group_named("P256"), 1, with_octavo());
    constexpr int kNumSignatures = 200;
    const auto before = shim::operations();
    for (int i = 0; i < kNumSignatures; ++i) in_async_job([&] { EXPECT_TRUE(right(key.get(), sign(key.get()))); });
    shim::takes_all = true;
    EXPECT_LT(shim::operations() - before, kNumSignatures)
        << "each of them is two operations, a signature and its verification";
    EXPECT_GE(shim::operations() - before, 4);
}

}  // namespace
}  // namespace octavo::test
