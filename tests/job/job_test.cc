#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "job/support.hpp"

namespace {

using job_test::in_thread;
using job_test::pause;
using job_test::TestJob;

bool is_current(octavo_job job) { return octavo_job_current().id == job.id; }
octavo_job_state state(const TestJob& run) { return octavo_job_get_state(run.job); }

TEST(Job, RunsToItsEnd) {
    TestJob run([] { return 42; });
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(run.result, 42);
    EXPECT_EQ(run.job.id, 0U);
    EXPECT_TRUE(is_current({0}));
}

TEST(Job, PausesAndGoesOnWhereItWas) {
    int step = 0;
    TestJob run([&] {
        for (step = 1; step < 4; ++step) EXPECT_EQ(pause(), OCTAVO_OK);
        return step;
    });
    for (int i = 1; i < 4; ++i) {
        EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(step, i);
        EXPECT_NE(run.job.id, 0U);
        EXPECT_EQ(run.result, -1);
        EXPECT_TRUE(is_current({0}));
    }
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(run.result, 4);
}

TEST(Job, GetsACopyOfItsArgument) {
    for (const std::size_t len :
         {std::size_t{1}, std::size_t{127}, std::size_t{128}, std::size_t{129}, std::size_t{10000}}) {
        std::vector<unsigned char> given(len + sizeof len);
        std::memcpy(given.data(), &len, sizeof len);
        for (std::size_t i = 0; i < len; ++i) given[sizeof len + i] = static_cast<unsigned char>(i * 7);
        octavo_job job{0};
        int result = 0;
        const auto body = [](void* argument) {
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(argument) % alignof(std::max_align_t), 0U);
            EXPECT_EQ(pause(), OCTAVO_OK);  // meanwhile the original is spoilt
            std::size_t size = 0;
            std::memcpy(&size, argument, sizeof size);
            const auto* bytes = static_cast<const unsigned char*>(argument) + sizeof size;
            for (std::size_t i = 0; i < size; ++i)
                if (bytes[i] != static_cast<unsigned char>(i * 7)) return 0;
            return 1;
        };
        EXPECT_EQ(octavo_job_start(&job, {0}, &result, body, given.data(), given.size()), OCTAVO_JOB_PAUSE);
        std::fill(given.begin(), given.end(), static_cast<unsigned char>(0xff));
        EXPECT_EQ(octavo_job_start(&job, {0}, &result, body, nullptr, 0), OCTAVO_JOB_FINISH);
        EXPECT_EQ(result, 1) << len;
    }
}

TEST(Job, GetsNullForNull) {
    octavo_job job{0};
    int result = 0;
    EXPECT_EQ(octavo_job_start(
                  &job, {0}, &result, [](void* argument) { return argument == nullptr ? 1 : 2; }, nullptr, 8),
              OCTAVO_JOB_FINISH);
    EXPECT_EQ(result, 1);
    EXPECT_EQ(octavo_job_start(
                  &job, {0}, nullptr, [](void*) { return 3; }, nullptr, 0),
              OCTAVO_JOB_FINISH);
}

TEST(Job, ManyAreApart) {
    std::vector<std::unique_ptr<TestJob>> runs;
    for (int i = 0; i < 1000; ++i) {
        runs.push_back(std::make_unique<TestJob>([i] {
            volatile int local = i;
            for (int k = 0; k < 3; ++k) EXPECT_EQ(pause(), OCTAVO_OK);
            return local + 0;
        }));
        EXPECT_EQ(runs.back()->go(), OCTAVO_JOB_PAUSE);
    }
    for (int k = 0; k < 2; ++k)
        for (auto run = runs.rbegin(); run != runs.rend(); ++run) EXPECT_EQ((*run)->go(), OCTAVO_JOB_PAUSE);
    for (int i = 0; i < 1000; ++i) {
        auto& run = *runs[static_cast<std::size_t>(i)];
        EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
        EXPECT_EQ(run.result, i);
    }
}

TEST(Job, MayStartAndResumeOthers) {
    TestJob inner([] {
        EXPECT_EQ(pause(), OCTAVO_OK);
        return 7;
    });
    TestJob outer([&] {
        const auto self = octavo_job_current();
        EXPECT_EQ(inner.go(), OCTAVO_JOB_PAUSE);
        EXPECT_TRUE(is_current(self));
        EXPECT_EQ(pause(), OCTAVO_OK);
        EXPECT_TRUE(is_current(self));
        return inner.go() == OCTAVO_JOB_FINISH ? inner.result : 0;
    });
    EXPECT_EQ(outer.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(outer.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(outer.result, 7);
}

TEST(Job, StatesAndWhatTheyRefuse) {
    TestJob run([&] {
        const auto self = octavo_job_current();
        EXPECT_EQ(octavo_job_get_state(self), OCTAVO_JOB_STATE_RUNNING);
        auto copy = self;
        EXPECT_EQ(octavo_job_start(&copy, {0}, nullptr, nullptr, nullptr, 0), OCTAVO_JOB_ERROR);
        EXPECT_EQ(octavo_job_cancel(self), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_EQ(octavo_job_discard(self), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_EQ(pause(), OCTAVO_OK);
        return 0;
    });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(state(run), OCTAVO_JOB_STATE_PAUSED);
    auto old = run.job;
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(octavo_job_get_state(old), OCTAVO_JOB_STATE_NONE);
    EXPECT_EQ(octavo_job_cancel(old), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_EQ(octavo_job_discard(old), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_EQ(octavo_job_start(&old, {0}, nullptr, nullptr, nullptr, 0), OCTAVO_JOB_ERROR);
    EXPECT_NE(std::string_view(octavo_error_text()).find("job"), std::string_view::npos);
}

TEST(Job, RefusesBadArguments) {
    octavo_job job{0};
    EXPECT_EQ(octavo_job_start(
                  nullptr, {0}, nullptr, [](void*) { return 0; }, nullptr, 0),
              OCTAVO_JOB_ERROR);
    EXPECT_EQ(octavo_job_start(&job, {0}, nullptr, nullptr, nullptr, 0), OCTAVO_JOB_ERROR);
    EXPECT_EQ(octavo_job_start(
                  &job, {99}, nullptr, [](void*) { return 0; }, nullptr, 0),
              OCTAVO_JOB_ERROR);
    for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{0xffffffff}, UINT64_MAX, std::uint64_t{5} << 32}) {
        job.id = id;
        EXPECT_EQ(octavo_job_start(
                      &job, {0}, nullptr, [](void*) { return 0; }, nullptr, 0),
                  OCTAVO_JOB_ERROR);
        EXPECT_EQ(octavo_job_get_state(job), OCTAVO_JOB_STATE_NONE);
        EXPECT_EQ(octavo_job_cancel(job), OCTAVO_ERR_BAD_HANDLE);
    }
}

TEST(Job, BelongsToItsThread) {
    TestJob run([] { return pause() == OCTAVO_OK ? 1 : 0; });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    in_thread([&] {
        EXPECT_EQ(state(run), OCTAVO_JOB_STATE_NONE);
        EXPECT_EQ(run.go(), OCTAVO_JOB_ERROR);
        EXPECT_EQ(octavo_job_cancel(run.job), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_EQ(octavo_job_discard(run.job), OCTAVO_ERR_BAD_ARGUMENT);
    });
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(run.result, 1);
}

TEST(Job, CannotPauseOutsideOrWhereBlocked) {
    EXPECT_EQ(pause(), OCTAVO_RETRY);
    octavo_job_block_pause();  // nothing to block
    octavo_job_unblock_pause();
    TestJob inner([] { return pause() == OCTAVO_OK ? 1 : 0; });
    TestJob run([&] {
        octavo_job_unblock_pause();  // one too many does nothing
        octavo_job_block_pause();
        octavo_job_block_pause();
        EXPECT_EQ(pause(), OCTAVO_RETRY);
        EXPECT_EQ(inner.go(), OCTAVO_JOB_PAUSE);  // not affected
        octavo_job_unblock_pause();
        EXPECT_EQ(pause(), OCTAVO_RETRY);
        octavo_job_unblock_pause();
        EXPECT_EQ(pause(), OCTAVO_OK);
        octavo_job_block_pause();  // ends with the job
        return 1;
    });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(inner.go(), OCTAVO_JOB_FINISH);
    TestJob next([] { return pause() == OCTAVO_OK ? 1 : 0; });
    EXPECT_EQ(next.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(next.go(), OCTAVO_JOB_FINISH);
}

TEST(Job, LimitOfAThread) {
    in_thread([] {
        EXPECT_EQ(octavo_job_init_thread(2, 3), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_EQ(octavo_job_init_thread(2, 1), OCTAVO_OK);
        const auto body = [] { return pause() == OCTAVO_OK ? 1 : 0; };
        TestJob a(body), b(body), c(body);
        EXPECT_EQ(a.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(b.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(c.go(), OCTAVO_JOB_NO_JOBS);
        EXPECT_EQ(c.job.id, 0U);
        EXPECT_EQ(a.go(), OCTAVO_JOB_FINISH);
        EXPECT_EQ(c.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(octavo_job_init_thread(1, 1), OCTAVO_OK);  // one too many now
        EXPECT_EQ(b.go(), OCTAVO_JOB_FINISH);
        EXPECT_EQ(a.go(), OCTAVO_JOB_NO_JOBS);
        EXPECT_EQ(c.go(), OCTAVO_JOB_FINISH);
        EXPECT_EQ(a.go(), OCTAVO_JOB_PAUSE);
        octavo_job_cleanup_thread();  // a goes on
        EXPECT_EQ(b.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(c.go(), OCTAVO_JOB_PAUSE);
        for (auto* run : {&a, &b, &c}) EXPECT_EQ(run->go(), OCTAVO_JOB_FINISH);
        octavo_job_cleanup_thread();
    });
}

TEST(Job, KeepsItsErrno) {
    TestJob run([] {
        errno = 1234;
        EXPECT_EQ(pause(), OCTAVO_OK);
        return errno;
    });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    errno = 5;
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(run.result, 1234);
}

int pause_in_a_catch() {
    try {
        throw std::runtime_error("inner");
    } catch (const std::runtime_error&) {
        EXPECT_EQ(pause(), OCTAVO_OK);
        try {
            throw;
        } catch (const std::exception& again) {
            return std::string_view(again.what()) == "inner" ? 1 : 2;
        }
    }
}

TEST(Job, MayPauseInACatchBlock) {
    TestJob run(pause_in_a_catch), other(pause_in_a_catch);
    try {
        throw std::logic_error("outer");
    } catch (const std::logic_error&) {
        EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(other.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
        try {
            throw;
        } catch (const std::exception& again) {
            EXPECT_STREQ(again.what(), "outer");
        }
    }
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    EXPECT_EQ(other.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(run.result, 1);
    EXPECT_EQ(other.result, 1);
    EXPECT_EQ(std::current_exception(), nullptr);
}

TEST(JobDeath, AnExceptionThatLeavesItEndsTheProgram) {
    TestJob run([]() -> int { throw std::runtime_error("lost"); });
    EXPECT_DEATH(run.go(), "");
}

struct Log {
    std::vector<int> entries;
    static void* leave(void* self) {
        static_cast<Log*>(self)->entries.push_back(1);
        return self;
    }
    static void enter(void* self, void* kept) {
        EXPECT_EQ(self, kept);
        static_cast<Log*>(self)->entries.push_back(2);
    }
    static void drop(void* self, void* kept) {
        EXPECT_EQ(self, kept);
        static_cast<Log*>(self)->entries.push_back(3);
    }
};

TEST(Job, HooksGoWithTheirJob) {
    Log log;
    const octavo_job_hooks hooks{Log::leave, Log::enter, Log::drop, &log};
    EXPECT_EQ(octavo_job_set_hooks(&hooks), nullptr);
    const auto body = [&] {
        EXPECT_EQ(octavo_job_set_hooks(&hooks), nullptr);
        pause();
        pause();
        EXPECT_EQ(octavo_job_set_hooks(nullptr), &hooks);
        pause();
        return 0;
    };
    TestJob run(body), other([] { return static_cast<int>(pause()); });
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(other.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(other.go(), OCTAVO_JOB_FINISH);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(log.entries, (std::vector<int>{1, 2, 1, 2}));
    log.entries.clear();
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(octavo_job_discard(run.job), OCTAVO_OK);
    EXPECT_EQ(log.entries, (std::vector<int>{1, 3}));
}

}  // namespace
