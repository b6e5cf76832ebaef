#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "job/support.hpp"

namespace {

using job_test::in_thread;
using job_test::kSanitized;
using job_test::pause;
using job_test::resident_kib;
using job_test::TestJob;

[[gnu::noinline]] std::size_t use_stack(std::size_t bytes) {
    volatile char frame[1024];
    frame[0] = static_cast<char>(bytes);
    frame[1023] = static_cast<char>(bytes);
    if (bytes <= sizeof frame) return 1;
    return use_stack(bytes - sizeof frame) + static_cast<std::size_t>(frame[0] == frame[1023]);
}

/// Runs the test body with stacks of this size, and the default again after it.
struct StackSize {
    explicit StackSize(std::size_t size) { EXPECT_EQ(octavo_job_set_stack_size(size), OCTAVO_OK); }
    ~StackSize() { EXPECT_EQ(octavo_job_set_stack_size(OCTAVO_JOB_STACK_DEFAULT), OCTAVO_OK); }
};

/// Sanitizers make frames larger.
constexpr std::size_t kShare = kSanitized ? 4 : 1;

TEST(JobStack, HoldsWhatItSays) {
    TestJob run([] { return use_stack(OCTAVO_JOB_STACK_DEFAULT / 10 * 8 / kShare) > 0 ? 1 : 0; });
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
}

TEST(JobStack, SizeCanBeSet) {
    EXPECT_EQ(octavo_job_set_stack_size(OCTAVO_JOB_STACK_MIN - 1), OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(octavo_job_set_stack_size(OCTAVO_JOB_STACK_MAX + 1), OCTAVO_ERR_BAD_ARGUMENT);
    TestJob small([] { return 1; });
    EXPECT_EQ(small.go(), OCTAVO_JOB_FINISH);  // an idle job of the default size
    const StackSize size(std::size_t{8} << 20);
    TestJob large([] { return use_stack((std::size_t{7} << 20) / kShare) > 0 ? 1 : 0; });
    EXPECT_EQ(large.go(), OCTAVO_JOB_FINISH);
}

void overflow() {
    TestJob run([] { return static_cast<int>(use_stack(std::size_t{64} << 20)); });
    run.go();
}

TEST(JobStackDeath, AnOverflowSaysSo) {
    EXPECT_DEATH(overflow(), kSanitized ? "" : "octavo: a job has overflowed its stack of 262144 bytes");
    EXPECT_DEATH(in_thread(overflow), kSanitized ? "" : "octavo: a job has overflowed its stack of 262144 bytes");
}

/// Anything else ends as it would have.
TEST(JobStackDeath, OtherFaultsSayNothing) {
    if (kSanitized) GTEST_SKIP() << "SKIP: the sanitizer speaks up";
    const auto fault = [] {
        TestJob run([] { return *static_cast<volatile int*>(nullptr); });
        run.go();
    };
    EXPECT_EXIT(fault(), testing::KilledBySignal(SIGSEGV), "^$");
    const auto sent = [] {
        TestJob run([] { return kill(getpid(), SIGSEGV); });
        run.go();
    };
    EXPECT_EXIT(sent(), testing::KilledBySignal(SIGSEGV), "^$");
}

void on_fault(int) { _exit(77); }

TEST(JobStackDeath, AProgramsOwnHandlerStays) {
    if (kSanitized) GTEST_SKIP() << "SKIP: the sanitizer has a handler of its own";
    const auto program = [] {
        static char alternate[64 * 1024];
        stack_t own{};
        own.ss_sp = alternate;
        own.ss_size = sizeof alternate;
        sigaltstack(&own, nullptr);
        struct sigaction action {};
        action.sa_handler = on_fault;
        action.sa_flags = SA_ONSTACK;
        sigaction(SIGSEGV, &action, nullptr);
        TestJob first([] { return 0; });
        first.go();
        stack_t now{};
        sigaltstack(nullptr, &now);
        if (now.ss_sp != own.ss_sp) _exit(78);
        overflow();
    };
    testing::FLAGS_gtest_death_test_style = "threadsafe";  // a process in which no job has run yet
    EXPECT_EXIT(program(), testing::ExitedWithCode(77), "^$");
}

/// The pages of a job's stack that are in memory, as seen from within it.
std::size_t resident_pages(const void* somewhere) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto top = reinterpret_cast<std::uintptr_t>(somewhere) / page * page + page;
    const std::size_t num_pages = 48;
    std::vector<unsigned char> present(num_pages);
    if (mincore(reinterpret_cast<void*>(top - num_pages * page), num_pages * page, present.data()) != 0) return 999;
    std::size_t count = 0;
    for (const auto entry : present) count += entry & 1U;
    return count;
}

int deep_and_shallow(std::size_t& pages) {
    volatile char here = 0;
    pages = resident_pages(const_cast<const char*>(&here));
    use_stack(100000 / kShare);
    return 0;
}

TEST(JobStack, IsCommittedAsItIsTouchedAndTrimmed) {
    if (kSanitized) GTEST_SKIP() << "SKIP: the sanitizer's frames differ";
    in_thread([] {
        std::size_t pages = 0;
        TestJob run([&] { return deep_and_shallow(pages); });
        EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
        EXPECT_LE(pages, 3U);
        EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
        EXPECT_GE(pages, 24U);  // warm
        octavo_job_trim_thread();
        EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
        EXPECT_LE(pages, 3U);
    });
}

void burst(int num_jobs) {
    std::vector<std::unique_ptr<TestJob>> runs;
    for (int i = 0; i < num_jobs; ++i) {
        runs.push_back(std::make_unique<TestJob>([] {
            use_stack(100000);
            return static_cast<int>(pause());
        }));
        EXPECT_EQ(runs.back()->go(), OCTAVO_JOB_PAUSE);
    }
    for (auto& run : runs) EXPECT_EQ(run->go(), OCTAVO_JOB_FINISH);
}

/// 1000 jobs of 100 KB; what is idle goes while they finish, but for those last used and for the floor.
TEST(JobStack, ABurstsMemoryIsHandedBack) {
    if (kSanitized) GTEST_SKIP() << "SKIP: the sanitizer's memory is counted too";
    in_thread([] {
        const auto before = resident_kib();
        burst(1000);
        EXPECT_LE(resident_kib(), before + 25 * 1024);
        octavo_job_cleanup_thread();
        EXPECT_LE(resident_kib(), before + 1024);
    });
    in_thread([] {
        const auto before = resident_kib();
        EXPECT_EQ(octavo_job_init_thread(0, 500), OCTAVO_OK);
        burst(1000);
        EXPECT_GE(resident_kib(), before + 45 * 1024);
        EXPECT_LE(resident_kib(), before + 75 * 1024);
    });
}

TEST(JobStack, TheLastUsedIsUsedFirst) {
    in_thread([] {
        std::uintptr_t first = 0, second = 0;
        const auto where = [](std::uintptr_t& place) {
            return TestJob([&place] {
                place = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) / OCTAVO_JOB_STACK_MIN;
                return static_cast<int>(pause());
            });
        };
        auto a = where(first), b = where(second);
        EXPECT_EQ(a.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(b.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(b.go(), OCTAVO_JOB_FINISH);
        EXPECT_EQ(a.go(), OCTAVO_JOB_FINISH);
        const auto last = first;
        auto c = where(second);
        EXPECT_EQ(c.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(second, last);
        EXPECT_EQ(c.go(), OCTAVO_JOB_FINISH);
    });
}

}  // namespace
