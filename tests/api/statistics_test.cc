#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "instance/stats_file.hpp"
#include "support.hpp"

/// Counters: that they add up, say what happened, and can be read from another process.

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;

std::uint64_t total(const auto& buckets) {
    return std::accumulate(std::begin(buckets), std::end(buckets), std::uint64_t{0});
}

void run(octavo::Instance& instance, const octavo::Key& key, Operation operation, std::size_t count) {
    std::vector<octavo::Request> requests;
    const Buffer input(*key.length());
    for (std::size_t i = 0; i < count; ++i) requests.push_back(*instance.submit(key, operation, input));
    Buffer output(input.size());
    for (auto& request : requests) {
        ASSERT_EQ(request.wait(), octavo::Status::ok);
        ASSERT_TRUE(request.result(output));
    }
}

class Statistics : public testing::TestWithParam<Driver> {
protected:
    octavo::Instance instance_ = make_instance(GetParam(), 64);
};
INSTANTIATE_TEST_SUITE_P(Drivers, Statistics, testing::ValuesIn(kAllDrivers), driver_name);

TEST_P(Statistics, StartAtZero) {
    const auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.submitted + s.completed + s.failed + s.cancelled + s.retried + s.in_flight + s.in_place, 0U);
    EXPECT_EQ(total(s.batch_size) + total(s.queue_time) + total(s.service_time) + total(s.fallback), 0U);
}

TEST_P(Statistics, AddUpThroughALife) {
    const auto key = make_key(shared_parts(512));
    run(instance_, key, Operation::rsa_public, 50);
    auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.submitted, 50U);
    EXPECT_EQ(s.completed, 50U);
    EXPECT_EQ(s.in_flight, 0U);
    std::vector<octavo::Request> open;
    for (int i = 0; i < 10; ++i) open.push_back(*instance_.submit(key, Operation::rsa_public, Buffer(64)));
    s = statistics_of(instance_.handle());
    EXPECT_EQ(s.in_flight, 10U);
    EXPECT_TRUE(adds_up(s));
    for (int i = 0; i < 4; ++i) open.pop_back();
    s = statistics_of(instance_.handle());
    EXPECT_EQ(s.cancelled, 4U);
    EXPECT_EQ(s.in_flight, 6U);
    EXPECT_TRUE(adds_up(s));
    open.clear();
    s = statistics_of(instance_.handle());
    EXPECT_EQ(s.cancelled, 10U);
    EXPECT_EQ(s.in_flight, 0U);
    EXPECT_TRUE(adds_up(s));
}

TEST_P(Statistics, ExecuteCounts) {
    const auto key = make_key(shared_parts(512));
    Buffer output(64);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(instance_.execute(key, Operation::rsa_public, Buffer(64), output));
    const auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.submitted, 20U);
    EXPECT_EQ(s.completed, 20U);
    EXPECT_TRUE(adds_up(s));
}

/// Every request that ran is in exactly one of: a lane row, the portable row by plan, the portable row for want of another.
TEST_P(Statistics, EachRequestTookOneRow) {
    const auto lanes = make_key(shared_parts(2048));
    const auto small = make_key(shared_parts(512));
    const auto no_crt = make_key(without_crt(shared_parts(2048)));
    run(instance_, lanes, Operation::rsa_private, 24);
    run(instance_, small, Operation::rsa_private, 5);
    run(instance_, no_crt, Operation::rsa_private, 3);
    const auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.completed, 32U);
    EXPECT_EQ(s.lane_requests + s.scalar_requests + total(s.fallback), 32U);
}

/// Requests in batches: the sizes, weighted, are the requests that did not run in place; each has its times.
TEST_P(Statistics, HistogramsCountEveryRequest) {
    const auto key = make_key(shared_parts(2048));
    for (const std::size_t count : {1U, 2U, 7U, 8U, 3U}) run(instance_, key, Operation::rsa_private, count);
    const auto s = statistics_of(instance_.handle());
    std::uint64_t requests = 0;
    for (std::size_t i = 0; i + 1 < OCTAVO_BATCH_BUCKETS; ++i) requests += (i + 1) * s.batch_size[i];
    EXPECT_EQ(s.batch_size[OCTAVO_BATCH_BUCKETS - 1], 0U);
    EXPECT_EQ(s.completed, 21U);
    EXPECT_TRUE(requests == 21 || requests == 21 - s.in_place) << requests << " with " << s.in_place << " in place";
    EXPECT_TRUE(total(s.service_time) == 21 || total(s.service_time) == 21 - s.in_place) << total(s.service_time);
    EXPECT_TRUE(total(s.queue_time) == 21 || total(s.queue_time) == 21 - s.in_place) << total(s.queue_time);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(s.service_time[i], 0U) << "no RSA-2048 within 2^" << i + 1 << " ns";
}

/// Read once by a process: so in another one, of the same program.
TEST(StatisticsOff, NothingIsCounted) {
    if (std::getenv("OCTAVO_STATISTICS") == nullptr) {
        EXPECT_TRUE(pass_with("OCTAVO_STATISTICS=off", "StatisticsOff.*"));
        return;
    }
    auto instance = make_instance(Driver::in_line);
    run(instance, make_key(shared_parts(512)), Operation::rsa_public, 20);
    const auto s = statistics_of(instance.handle());
    EXPECT_EQ(s.submitted + s.completed + s.lane_requests + s.scalar_requests + total(s.batch_size), 0U);
}

TEST(StatisticsInline, WhatWaitsIsOneBatch) {
    const auto key = make_key(shared_parts(2048));
    auto instance = make_instance(Driver::in_line);
    run(instance, key, Operation::rsa_private, 8);
    const auto s = statistics_of(instance.handle());
    if (s.fallback[OCTAVO_FALLBACK_CPU] != 0) GTEST_SKIP() << "no lane row on this CPU";
    EXPECT_EQ(s.lane_requests, 8U);
    EXPECT_GE(total(s.batch_size), 1U);
    EXPECT_LE(total(s.batch_size), 2U);
}

std::uint64_t reason_after(const RsaParts& parts, Operation operation, octavo_fallback reason) {
    const auto key = make_key(parts);
    auto instance = make_instance(Driver::in_line);
    run(instance, key, operation, 8);
    const auto s = statistics_of(instance.handle());
    EXPECT_EQ(s.lane_requests, 0U);
    return s.fallback[reason] + s.fallback[OCTAVO_FALLBACK_CPU];
}

TEST(StatisticsInline, FallbackReasons) {
    EXPECT_EQ(reason_after(shared_parts(512), Operation::rsa_private, OCTAVO_FALLBACK_SIZE), 8U);
    EXPECT_EQ(reason_after(shared_parts(1024), Operation::rsa_public, OCTAVO_FALLBACK_SIZE), 8U);
    EXPECT_EQ(reason_after(random_parts(2047), Operation::rsa_private, OCTAVO_FALLBACK_SIZE), 8U);
    EXPECT_EQ(reason_after(without_crt(shared_parts(2048)), Operation::rsa_private, OCTAVO_FALLBACK_NO_CRT), 8U);
    EXPECT_EQ(reason_after(random_parts(2048, 65537, 3), Operation::rsa_private, OCTAVO_FALLBACK_PRIMES), 8U);
    EXPECT_EQ(reason_after(unequal_parts(1100, 948), Operation::rsa_private, OCTAVO_FALLBACK_PRIMES), 8U);
}

/// What the lane row takes it does take, unless the portable row is the cheaper plan; and it never says "fallback" then.
TEST(StatisticsInline, LaneShapesDoNotFallBack) {
    for (const int bits : {2048, 3072, 4096}) {
        const auto key = make_key(shared_parts(bits));
        auto instance = make_instance(Driver::in_line);
        run(instance, key, Operation::rsa_private, 16);
        run(instance, key, Operation::rsa_public, 16);
        const auto s = statistics_of(instance.handle());
        if (s.fallback[OCTAVO_FALLBACK_CPU] != 0) GTEST_SKIP() << "no lane row on this CPU";
        EXPECT_EQ(total(s.fallback), 0U) << bits;
        EXPECT_EQ(s.lane_requests + s.scalar_requests, 32U) << bits;
        EXPECT_GE(s.lane_requests, 16U) << bits;
    }
}

/// Each instance counts for itself, also when several are made at the same moment.
TEST(StatisticsThreads, InstancesMadeAtOnceDoNotShareCounters) {
    const auto key = make_key(shared_parts(512));
    std::atomic<int> ready{0}, wrong{0};
    const auto work = [&] {
        Buffer output(64);
        for (int round = 1; round <= 300; ++round) {
            ++ready;
            while (ready < 3 * round) std::this_thread::yield();
            auto instance = make_instance();
            const auto before = instance.statistics()->submitted;
            static_cast<void>(instance.execute(key, Operation::rsa_public, Buffer(64), output));
            if (before != 0 || instance.statistics()->submitted != 1) ++wrong;
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(work);
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

// ---- from another process ----

/// The instance of this name in the process `pid`, as any process may read it.
const octavo::instance::ProcessStats::Instance* find(const std::vector<octavo::instance::ProcessStats>& all,
                                                     std::uint32_t pid, const char* name) {
    for (const auto& process : all)
        for (const auto& instance : process.instances)
            if (process.pid == pid && instance.name == name) return &instance;
    return nullptr;
}

/// Runs `check` in a child and passes its verdict on.
template <typename Check>
bool true_in_child(Check&& check) {
    const auto child = fork();
    if (child == 0) _exit(check() ? 0 : 1);
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(StatisticsFile, IsReadableFromAnotherProcess) {
    auto instance = *octavo::Instance::create({.name = "readable", .driver = Driver::in_line});
    const auto key = make_key(shared_parts(512));
    run(instance, key, Operation::rsa_public, 11);
    auto open = instance.submit(key, Operation::rsa_public, Buffer(64));
    const auto pid = static_cast<std::uint32_t>(getpid());
    EXPECT_TRUE(true_in_child([&] {
        const auto all = octavo::instance::read_all_stats();
        const auto* found = find(all, pid, "readable");
        return found != nullptr && found->driver == OCTAVO_DRIVER_INLINE && found->counters.submitted == 12 &&
               found->counters.completed == 11 && found->counters.in_flight == 1 &&
               found->counters.fallback[OCTAVO_FALLBACK_SIZE] + found->counters.fallback[OCTAVO_FALLBACK_CPU] == 11;
    }));
}

TEST(StatisticsFile, ForgetsDestroyedInstances) {
    const auto pid = static_cast<std::uint32_t>(getpid());
    {
        auto instance = *octavo::Instance::create({.name = "short-lived"});
        ASSERT_NE(find(octavo::instance::read_all_stats(), pid, "short-lived"), nullptr);
    }
    EXPECT_EQ(find(octavo::instance::read_all_stats(), pid, "short-lived"), nullptr);
}

TEST(StatisticsFile, AChildHasItsOwn) {
    auto instance = *octavo::Instance::create({.name = "both"});
    const auto key = make_key(shared_parts(512));
    Buffer output(64);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(instance.execute(key, Operation::rsa_public, Buffer(64), output));
    const auto parent = static_cast<std::uint32_t>(getpid());
    EXPECT_TRUE(true_in_child([&] {
        for (int i = 0; i < 3; ++i)
            if (!instance.execute(key, Operation::rsa_public, Buffer(64), output)) return false;
        const auto all = octavo::instance::read_all_stats();
        const auto* mine = find(all, static_cast<std::uint32_t>(getpid()), "both");
        const auto* theirs = find(all, parent, "both");
        return mine != nullptr && mine->counters.completed == 3 && theirs != nullptr && theirs->counters.completed == 5;
    }));
    EXPECT_EQ(statistics_of(instance.handle()).completed, 5U);
}

}  // namespace
}  // namespace api_test
