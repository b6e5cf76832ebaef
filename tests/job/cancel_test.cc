#include <memory>
#include <vector>

#include "job/support.hpp"

namespace {

using job_test::in_thread;
using job_test::kSanitized;
using job_test::pause;
using job_test::resident_kib;
using job_test::TestJob;

/// Counts those that are alive.
struct Live {
    static inline int count = 0;
    Live() { ++count; }
    Live(const Live&) = delete;
    Live& operator=(const Live&) = delete;
    ~Live() { --count; }
};

/// What the hook was told: 0 or 1, and how often.
struct Hook {
    int calls = 0, discarded = -1;
    static void call(void* self, int discarded) {
        auto& hook = *static_cast<Hook*>(self);
        ++hook.calls;
        hook.discarded = discarded;
    }
};

TEST(JobCancel, TheFunctionCleansUpAndReturns) {
    Hook hook;
    TestJob run([&] {
        const Live live;
        EXPECT_EQ(pause(), OCTAVO_OK);
        EXPECT_EQ(octavo_job_pause(Hook::call, &hook), OCTAVO_CANCELLED);
        EXPECT_EQ(hook.calls, 1);  // before the job goes on
        EXPECT_EQ(octavo_job_get_state(octavo_job_current()), OCTAVO_JOB_STATE_CANCELLED);
        EXPECT_EQ(octavo_job_pause(Hook::call, &hook), OCTAVO_CANCELLED);  // at once
        return 1;
    });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(octavo_job_cancel(run.job), OCTAVO_OK);
    EXPECT_EQ(hook.calls, 1);
    EXPECT_EQ(hook.discarded, 0);
    EXPECT_EQ(Live::count, 0);
    EXPECT_EQ(octavo_job_cancel(run.job), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_EQ(run.result, -1);
}

TEST(JobCancel, AJobThatWillNotEndIsDiscarded) {
    int pauses = 0;
    Hook hook;
    TestJob run([&] {
        while (true) {
            ++pauses;
            octavo_job_pause(Hook::call, &hook);
        }
        return 0;
    });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(octavo_job_cancel(run.job), OCTAVO_ERR_OPERATION_FAILED);
    EXPECT_EQ(pauses, 1 + OCTAVO_JOB_CANCELLED_PAUSES);
    EXPECT_EQ(hook.calls, 2);
    EXPECT_EQ(hook.discarded, 1);
    EXPECT_EQ(octavo_job_get_state(run.job), OCTAVO_JOB_STATE_NONE);
    TestJob next([] { return 5; });
    EXPECT_EQ(next.go(), OCTAVO_JOB_FINISH);
}

TEST(JobCancel, HooksMustNotTouchTheJob) {
    octavo_job job{0};
    const auto hook = [](void* argument, int) {
        EXPECT_EQ(octavo_job_cancel(*static_cast<octavo_job*>(argument)), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_EQ(octavo_job_discard(*static_cast<octavo_job*>(argument)), OCTAVO_ERR_BAD_ARGUMENT);
    };
    for (const bool discards : {false, true}) {
        TestJob run([&] { return static_cast<int>(octavo_job_pause(hook, &job)); });
        EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
        job = run.job;
        EXPECT_EQ(discards ? octavo_job_discard(job) : octavo_job_cancel(job), OCTAVO_OK);
    }
}

TEST(JobCancel, FromWithinAnotherJob) {
    TestJob victim([] { return pause() == OCTAVO_CANCELLED ? 1 : 0; });
    EXPECT_EQ(victim.go(), OCTAVO_JOB_PAUSE);
    TestJob other([&] {
        EXPECT_EQ(octavo_job_cancel(victim.job), OCTAVO_OK);
        EXPECT_EQ(pause(), OCTAVO_OK);
        return 1;
    });
    EXPECT_EQ(other.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(other.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(other.result, 1);
}

TEST(JobDiscard, NothingOfTheFunctionRuns) {
    Hook hook;
    auto* kept = new Live;
    TestJob run([&] {
        struct Guard {
            ~Guard() { ADD_FAILURE() << "unwound"; }
        } guard;
        octavo_job_pause(Hook::call, &hook);
        return 0;
    });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(octavo_job_discard(run.job), OCTAVO_OK);
    EXPECT_EQ(hook.calls, 1);
    EXPECT_EQ(hook.discarded, 1);
    EXPECT_EQ(octavo_job_discard(run.job), OCTAVO_ERR_BAD_HANDLE);
    delete kept;
}

/// Ends 10^5 paused jobs, a hundred at a time, and holds memory and everything that lives to their level.
template <typename End>
void ends_without_loss(End&& end) {
    const auto round = [&] {
        std::vector<std::unique_ptr<TestJob>> runs;
        for (int i = 0; i < 100; ++i) {
            runs.push_back(std::make_unique<TestJob>([] {
                volatile char touched[8000];
                touched[0] = 1;
                touched[7999] = 1;
                return static_cast<int>(pause()) + (touched[0] - touched[7999]);
            }));
            EXPECT_EQ(runs.back()->go(), OCTAVO_JOB_PAUSE);
        }
        for (auto& run : runs) EXPECT_EQ(end(run->job), OCTAVO_OK);
    };
    for (int i = 0; i < 50; ++i) round();
    const auto before = resident_kib();
    for (int i = 0; i < 1000; ++i) round();
    // ThreadSanitizer keeps about a hundred MiB for fibres, once; lost stacks would be a thousand.
    EXPECT_LE(resident_kib(), before + (kSanitized ? std::size_t{256} * 1024 : 512));
}

TEST(JobCancel, HundredThousandLeaveNothing) { ends_without_loss(octavo_job_cancel); }
TEST(JobDiscard, HundredThousandLeaveNothing) { ends_without_loss(octavo_job_discard); }

TEST(JobThread, ItsEndDiscardsWhatIsPaused) {
    Hook hook;
    octavo_job left{0};
    for (int i = 1; i <= 100; ++i) {
        in_thread([&] {
            TestJob run([&] { return static_cast<int>(octavo_job_pause(Hook::call, &hook)); });
            TestJob done([] { return 0; });
            EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
            EXPECT_EQ(done.go(), OCTAVO_JOB_FINISH);
            left = run.job;
        });
        EXPECT_EQ(hook.calls, i);
        EXPECT_EQ(hook.discarded, 1);
        EXPECT_EQ(octavo_job_cancel(left), OCTAVO_ERR_BAD_HANDLE);
    }
}

TEST(JobThread, ThousandThreadsLeaveNothing) {
    const auto round = [] {
        in_thread([] {
            TestJob run([] { return static_cast<int>(pause()); });
            EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
        });
    };
    for (int i = 0; i < 50; ++i) round();
    const auto before = resident_kib();
    for (int i = 0; i < 1000; ++i) round();
    EXPECT_LE(resident_kib(), before + (kSanitized ? std::size_t{64} * 1024 : 512));
}

}  // namespace
