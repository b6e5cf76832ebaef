// The instances of a process's section: which thread gets which, where their engine threads run, who polls.
#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "instance/stats_file.hpp"
#include "section_child.hpp"
#include "support.hpp"
#include "support/engine_threads.hpp"
#include "support/pinned.hpp"

namespace {

using api_test::section_of;
using octavo::config::section_text;
using octavo::test::engine_threads;

constexpr std::size_t kNone = SIZE_MAX;

octavo_instance mine() {
    octavo_instance instance{};
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK) << octavo_error_text();
    return instance;
}

std::size_t binding() {
    std::size_t index = kNone - 1;
    EXPECT_EQ(octavo_section_binding(&index), OCTAVO_OK);
    return index;
}

std::uint32_t driver_of(octavo_instance instance) {
    std::uint32_t driver = 99;
    EXPECT_EQ(octavo_instance_driver(instance, &driver), OCTAVO_OK);
    return driver;
}

using CoreList = std::vector<int>;
CoreList cores_of(pid_t thread) {
    cpu_set_t set;
    CPU_ZERO(&set);
    EXPECT_EQ(sched_getaffinity(thread, sizeof set, &set), 0);
    CoreList cores;
    for (int core = 0; core < CPU_SETSIZE; ++core)
        if (CPU_ISSET(core, &set)) cores.push_back(core);
    return cores;
}

class SectionInstances : public api_test::SectionTest {
protected:
    void start(const std::string& text) {
        configure(text);
        ASSERT_EQ(octavo_section_start("S"), OCTAVO_OK) << octavo_error_text();
    }
    /// A request that nobody has polled for yet.
    octavo_request submit() {
        const auto submission = api_test::plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
        octavo_request request{};
        const auto status = octavo_submit(mine(), &submission, &request);
        EXPECT_TRUE(status == OCTAVO_PENDING || status == OCTAVO_OK) << octavo_error_text();
        return request;
    }
    void finish(octavo_request request) {
        EXPECT_EQ(octavo_wait(mine(), request, UINT64_MAX), OCTAVO_OK) << octavo_error_text();
        EXPECT_EQ(octavo_cancel(mine(), request), OCTAVO_OK);
    }

    const octavo::Key key_ = api_test::make_key(api_test::shared_parts(2048));
    const api_test::Buffer input_ = api_test::Buffer(256, 1);
};

TEST_F(SectionInstances, ThreadsTakeTurnsAndStay) {
    start(section_text("S", 1, true, 3));
    api_test::expect_turns(binding, [&] {
        finish(submit());
        return binding();
    });
}

TEST_F(SectionInstances, AThreadCanBeBound) {
    start(section_text("S", 1, true, 2));
    EXPECT_EQ(binding(), 0U);
    ASSERT_EQ(octavo_section_bind(1), OCTAVO_OK) << octavo_error_text();
    EXPECT_EQ(binding(), 1U);
    EXPECT_EQ(octavo_section_bind(2), OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_STREQ(octavo_error_text(), "index: 2; the process's section has 2 instances");
    const auto request = submit();
    EXPECT_EQ(octavo_section_bind(0), OCTAVO_ERR_BAD_ARGUMENT) << "it has a request";
    EXPECT_EQ(binding(), 1U);
    finish(request);
    EXPECT_EQ(octavo_section_bind(0), OCTAVO_OK);
    ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
    EXPECT_EQ(binding(), kNone);
}

TEST_F(SectionInstances, AreAsTheirEndpointSays) {
    configure(section_of("Driver = threads\nRingSize = 32\n", {"@IsPolled = 2\n@CoreAffinity = 3-5\n", ""}));
    folder_.write("octavo_dev7.conf", section_of("CyNumConcurrentAsymRequests = 128\n", {""}));
    ASSERT_EQ(octavo_section_start("S"), OCTAVO_OK) << octavo_error_text();
    std::size_t count = 0;
    ASSERT_EQ(octavo_section_count(&count), OCTAVO_OK);
    ASSERT_EQ(count, 3U);
    octavo_section_instance all[3];
    for (std::size_t i = 0; i < 3; ++i) {
        all[i] = {};
        all[i].size = sizeof all[i];
        ASSERT_EQ(octavo_section_get(i, &all[i]), OCTAVO_OK);
    }
    EXPECT_STREQ(all[0].name, "engine0");
    EXPECT_EQ(all[0].endpoint, 0U);
    EXPECT_EQ(all[0].first_core, 3);
    EXPECT_EQ(all[0].last_core, 5);
    EXPECT_EQ(all[0].is_polled, 2U);
    EXPECT_EQ(all[0].driver, static_cast<std::uint32_t>(OCTAVO_DRIVER_THREADS));
    EXPECT_EQ(all[0].ring_size, 32U);
    EXPECT_STREQ(all[1].name, "engine1");
    EXPECT_EQ(all[1].first_core, -1);
    EXPECT_EQ(all[1].is_polled, 1U);
    EXPECT_STREQ(all[2].name, "engine0");
    EXPECT_EQ(all[2].endpoint, 7U);
    EXPECT_EQ(all[2].driver, static_cast<std::uint32_t>(OCTAVO_DRIVER_AUTO));
    EXPECT_EQ(all[2].ring_size, 128U);
    EXPECT_EQ(octavo_section_get(3, &all[0]), OCTAVO_ERR_BAD_ARGUMENT);
}

/// In a child, whose statistics file is in this test's folder.
TEST_F(SectionInstances, ShowTheirNamesInStatistics) {
    configure(section_of("", {"", ""}));
    const api_test::SectionChild child{[this] {
        octavo_section_start("S");
        octavo_section_bind(1);
        finish(submit());
        for (const auto& process : octavo::instance::read_all_stats())
            if (process.pid == static_cast<std::uint32_t>(getpid()) && process.instances.size() == 1)
                return process.section.name + " " + process.instances[0].name + " " +
                       std::to_string(process.instances[0].counters.submitted);
        return std::string{"the process does not show"};
    }};
    EXPECT_EQ(child.told(), "S_INT_0 engine1 1");
}

/// Each instance's engine thread on a core of its own, where the machine has several.
TEST_F(SectionInstances, EngineThreadsRunOnTheirCores) {
    const auto allowed = cores_of(0);
    const int last = allowed.back(), first = allowed.front();
    start(section_of("Driver = threads\n", {"@CoreAffinity = " + std::to_string(last) + "\n",
                                            "@CoreAffinity = " + std::to_string(first) + "\n"}));
    std::vector<CoreList> found;
    for (std::size_t index = 0; index < 2; ++index) {
        ASSERT_EQ(octavo_section_bind(index), OCTAVO_OK) << octavo_error_text();
        finish(submit());
        const auto threads = engine_threads();
        ASSERT_EQ(threads.size(), 1U) << "the thread's own, and none of the instance it was bound to before";
        found.push_back(cores_of(threads[0]));
    }
    EXPECT_EQ(found, (std::vector<CoreList>{{last}, {first}}));
    if (first == last) GTEST_SKIP() << "NOT TESTED: different cores, this process may use one alone";
}

TEST_F(SectionInstances, EngineThreadsRunAnywhereWhereTheirCoresAreNotToBeHad) {
    start(section_of("Driver = threads\n", {"@CoreAffinity = 1023\n"}));
    finish(submit());
    const auto threads = engine_threads();
    ASSERT_EQ(threads.size(), 1U);
    EXPECT_EQ(cores_of(threads[0]), cores_of(0));
}

/// On one core, too, where jobs would do without one.
TEST_F(SectionInstances, EngineThreadsThatWereGivenCoresAreUsed) {
    const octavo::test::Pinned pinned;
    start(section_of("", {"", "@CoreAffinity = " + std::to_string(cores_of(0).front()) + "\n"}));
    for (const std::uint32_t wanted : {1U, 0U}) {
        ASSERT_EQ(octavo_section_bind(1 - wanted), OCTAVO_OK) << octavo_error_text();
        std::uint32_t computes = 99;
        ASSERT_EQ(octavo_instance_waiter_computes(mine(), key_.handle(), OCTAVO_RSA_PUBLIC, &computes), OCTAVO_OK);
        EXPECT_EQ(computes, wanted);
    }
}

/// IsPolled 0 and 2: an engine thread computes, and the descriptor tells, without a call of the application's.
TEST_F(SectionInstances, ToldByTheirDescriptor) {
    for (const char* polled : {"@IsPolled = 0\n", "@IsPolled = 2\n"}) {
        SCOPED_TRACE(polled);
        start(section_of("", {polled}));
        EXPECT_EQ(driver_of(mine()), static_cast<std::uint32_t>(OCTAVO_DRIVER_THREADS));
        int fd = -1;
        ASSERT_EQ(octavo_instance_fd(mine(), &fd), OCTAVO_OK) << octavo_error_text();
        const auto request = submit();
        pollfd waited{fd, POLLIN, 0};
        EXPECT_EQ(poll(&waited, 1, 60'000), 1);
        EXPECT_EQ(engine_threads().size(), 1U);
        std::size_t num_reaped = 0;
        EXPECT_EQ(octavo_poll(mine(), 8, &num_reaped), OCTAVO_OK);
        EXPECT_EQ(num_reaped, 1U);
        EXPECT_EQ(octavo_cancel(mine(), request), OCTAVO_OK);
        ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
    }
}

/// IsPolled 1: nothing happens before the application polls, and no thread is started.
TEST_F(SectionInstances, PolledByTheApplication) {
    start(section_of("", {"@IsPolled = 1\n"}));
    EXPECT_EQ(driver_of(mine()), static_cast<std::uint32_t>(OCTAVO_DRIVER_AUTO));
    const auto request = submit();
    EXPECT_EQ(api_test::statistics_of(mine()).in_flight, 1U);
    std::size_t num_reaped = 0;
    EXPECT_EQ(octavo_poll(mine(), 8, &num_reaped), OCTAVO_OK);
    EXPECT_EQ(num_reaped, 1U);
    EXPECT_TRUE(engine_threads().empty());
    EXPECT_EQ(octavo_cancel(mine(), request), OCTAVO_OK);
}

/// Services without an asymmetric one leave nothing for these operations: the portable row has them, and is counted so.
TEST_F(SectionInstances, OfOtherServicesAreNotUsed) {
    start(section_of("ServicesEnabled = sym\n", {""}));
    EXPECT_EQ(binding(), kNone);
    finish(submit());
    EXPECT_EQ(api_test::statistics_of(mine()).fallback[OCTAVO_FALLBACK_SECTION], 1U);
}

}  // namespace
