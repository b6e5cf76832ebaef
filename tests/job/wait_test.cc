#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "job/support.hpp"

namespace {

using job_test::in_thread;
using job_test::pause;
using job_test::TestJob;

class JobWait : public testing::Test {
protected:
    octavo_wait_context wait_ = octavo_wait_new();
    ~JobWait() override { octavo_wait_free(wait_); }

    using Fds = std::vector<int>;
    Fds all() const {
        std::size_t count = 0;
        EXPECT_EQ(octavo_wait_get_all_fds(wait_, nullptr, &count), OCTAVO_OK);
        Fds fds(count);
        EXPECT_EQ(octavo_wait_get_all_fds(wait_, fds.data(), &count), OCTAVO_OK);
        std::sort(fds.begin(), fds.end());
        return fds;
    }
    struct Changes {
        Fds added, deleted;
        bool operator==(const Changes&) const = default;
    };
    Changes changes() const {
        std::size_t num_added = 0, num_deleted = 0;
        EXPECT_EQ(octavo_wait_get_changed_fds(wait_, nullptr, &num_added, nullptr, &num_deleted), OCTAVO_OK);
        Changes changes{Fds(num_added), Fds(num_deleted)};
        EXPECT_EQ(
            octavo_wait_get_changed_fds(wait_, changes.added.data(), &num_added, changes.deleted.data(), &num_deleted),
            OCTAVO_OK);
        std::sort(changes.added.begin(), changes.added.end());
        return changes;
    }
    octavo_status set(const char& key, int fd) const { return octavo_wait_set_fd(wait_, &key, fd, nullptr, nullptr); }
    octavo_status clear(const char& key) const { return octavo_wait_clear_fd(wait_, &key); }
};

const char a = 0, b = 0;

bool readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0;
}

TEST_F(JobWait, HoldsDescriptorsByKey) {
    int data = 0, fd = 0;
    void* found = nullptr;
    EXPECT_EQ(octavo_wait_get_fd(wait_, &a, &fd, &found), OCTAVO_RETRY);
    EXPECT_EQ(octavo_wait_set_fd(wait_, &a, 10, &data, nullptr), OCTAVO_OK);
    EXPECT_EQ(set(b, 11), OCTAVO_OK);
    EXPECT_EQ(octavo_wait_get_fd(wait_, &a, &fd, &found), OCTAVO_OK);
    EXPECT_EQ(fd, 10);
    EXPECT_EQ(found, &data);
    EXPECT_EQ(octavo_wait_get_fd(wait_, &b, nullptr, nullptr), OCTAVO_OK);
    EXPECT_EQ(all(), (Fds{10, 11}));
    EXPECT_EQ(set(a, 12), OCTAVO_OK);  // hides the first
    EXPECT_EQ(octavo_wait_get_fd(wait_, &a, &fd, &found), OCTAVO_OK);
    EXPECT_EQ(fd, 12);
    EXPECT_EQ(clear(a), OCTAVO_OK);
    EXPECT_EQ(clear(a), OCTAVO_OK);
    EXPECT_EQ(clear(a), OCTAVO_RETRY);
    EXPECT_EQ(all(), Fds{11});
}

TEST_F(JobWait, ToldOfChangesOnce) {
    EXPECT_EQ(set(a, 10), OCTAVO_OK);
    EXPECT_EQ(changes(), (Changes{{10}, {}}));
    TestJob run(
        [&] {
            EXPECT_EQ(pause(), OCTAVO_OK);
            EXPECT_EQ(changes(), (Changes{{}, {}}));
            EXPECT_EQ(clear(a), OCTAVO_OK);
            EXPECT_EQ(set(b, 11), OCTAVO_OK);
            EXPECT_EQ(pause(), OCTAVO_OK);
            EXPECT_EQ(set(a, 12), OCTAVO_OK);
            EXPECT_EQ(clear(a), OCTAVO_OK);
            return 0;
        },
        wait_);
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(changes(), (Changes{{10}, {}}));
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(changes(), (Changes{{11}, {10}}));
    EXPECT_EQ(all(), Fds{11});
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    EXPECT_EQ(changes(), (Changes{{}, {}}));
    EXPECT_EQ(all(), Fds{11});
}

TEST_F(JobWait, ManyDescriptors) {
    std::vector<char> keys(100);
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(set(keys[i], 1000 + static_cast<int>(i)), OCTAVO_OK);
    for (std::size_t i = 0; i < keys.size(); i += 2) EXPECT_EQ(clear(keys[i]), OCTAVO_OK);
    EXPECT_EQ(all().size(), 50U);
    for (std::size_t i = 1; i < keys.size(); i += 2) {
        int fd = 0;
        EXPECT_EQ(octavo_wait_get_fd(wait_, &keys[i], &fd, nullptr), OCTAVO_OK);
        EXPECT_EQ(fd, 1000 + static_cast<int>(i));
    }
}

struct Cleanups {
    std::vector<int> fds;
    static void run(octavo_wait_context, const void* key, int fd, void* self) {
        EXPECT_EQ(key, &a);
        static_cast<Cleanups*>(self)->fds.push_back(fd);
    }
};

TEST(JobWaitFree, CleansUpWhatWasNotCleared) {
    Cleanups cleanups;
    const auto wait = octavo_wait_new();
    EXPECT_EQ(octavo_wait_set_fd(wait, &a, 10, &cleanups, Cleanups::run), OCTAVO_OK);
    EXPECT_EQ(octavo_wait_set_fd(wait, &b, 11, &cleanups, nullptr), OCTAVO_OK);
    EXPECT_EQ(octavo_wait_set_fd(wait, &a, 12, &cleanups, Cleanups::run), OCTAVO_OK);
    EXPECT_EQ(octavo_wait_clear_fd(wait, &a), OCTAVO_OK);
    EXPECT_EQ(octavo_wait_free(wait), OCTAVO_OK);
    EXPECT_EQ(cleanups.fds, std::vector<int>{10});
    EXPECT_EQ(octavo_wait_free(wait), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_EQ(octavo_wait_free({0}), OCTAVO_OK);
    EXPECT_EQ(octavo_wait_set_fd(wait, &a, 10, nullptr, nullptr), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_EQ(octavo_wait_notify(wait), OCTAVO_ERR_BAD_HANDLE);
}

struct Hook {
    int calls = 0;
    static void call(void* self, int discarded) {
        EXPECT_EQ(discarded, 1);
        ++static_cast<Hook*>(self)->calls;
    }
};

TEST(JobWaitFree, DiscardsThePausedJob) {
    Hook hook;
    for (int i = 1; i <= 1000; ++i) {
        TestJob run([&] { return static_cast<int>(octavo_job_pause(Hook::call, &hook)); }, octavo_wait_new());
        EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
        EXPECT_EQ(octavo_job_get_wait(run.job).id, run.wait.id);
        EXPECT_EQ(octavo_wait_free(run.wait), OCTAVO_OK);
        EXPECT_EQ(hook.calls, i);
        EXPECT_EQ(octavo_job_get_state(run.job), OCTAVO_JOB_STATE_NONE);
    }
}

TEST(JobWaitFree, LeavesAFinishedJobsSuccessorAlone) {
    TestJob first([] { return static_cast<int>(pause()); }, octavo_wait_new());
    EXPECT_EQ(first.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(first.go(), OCTAVO_JOB_FINISH);
    TestJob second([] { return static_cast<int>(pause()); });  // in the same place
    EXPECT_EQ(second.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(octavo_wait_free(first.wait), OCTAVO_OK);
    EXPECT_EQ(second.go(), OCTAVO_JOB_FINISH);
}

TEST(JobWaitFree, FromAnotherThread) {
    Hook hook;
    TestJob run([&] { return static_cast<int>(octavo_job_pause(Hook::call, &hook)); }, octavo_wait_new());
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    in_thread([&] { EXPECT_EQ(octavo_wait_free(run.wait), OCTAVO_OK); });
    EXPECT_EQ(hook.calls, 0);  // its own thread does it
    EXPECT_EQ(run.go(), OCTAVO_JOB_ERROR);
    EXPECT_EQ(hook.calls, 1);
    TestJob next([] { return 1; });
    EXPECT_EQ(next.go(), OCTAVO_JOB_FINISH);
}

TEST(JobWaitFree, AfterTheJobsThreadHasEnded) {
    Hook hook;
    const auto wait = octavo_wait_new();
    in_thread([&] {
        TestJob run([&] { return static_cast<int>(octavo_job_pause(Hook::call, &hook)); }, wait);
        EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    });
    EXPECT_EQ(hook.calls, 1);
    EXPECT_EQ(octavo_wait_free(wait), OCTAVO_OK);
    EXPECT_EQ(hook.calls, 1);
}

TEST(JobWaitFree, ByTheRunningJobItself) {
    TestJob run(
        [&] {
            EXPECT_EQ(octavo_wait_free(octavo_job_get_wait(octavo_job_current())), OCTAVO_OK);
            return static_cast<int>(pause());
        },
        octavo_wait_new());
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
}

TEST_F(JobWait, ServingTwoJobsHarmsNobody) {
    const auto body = [] { return static_cast<int>(pause()); };
    TestJob first(body, wait_), second(body, wait_);
    EXPECT_EQ(first.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(second.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(octavo_wait_free(wait_), OCTAVO_OK);
    EXPECT_EQ(second.go(), OCTAVO_JOB_ERROR);
    EXPECT_EQ(first.go(), OCTAVO_JOB_FINISH);
}

TEST_F(JobWait, CallbackAndStatus) {
    octavo_wait_callback* callback = nullptr;
    void* argument = nullptr;
    EXPECT_EQ(octavo_wait_get_callback(wait_, &callback, &argument), OCTAVO_RETRY);
    EXPECT_EQ(octavo_wait_notify(wait_), OCTAVO_RETRY);
    int calls = 0;
    const auto count = [](void* counter) { return ++*static_cast<int*>(counter); };
    EXPECT_EQ(octavo_wait_set_callback(wait_, count, &calls), OCTAVO_OK);
    EXPECT_EQ(octavo_wait_get_callback(wait_, &callback, &argument), OCTAVO_OK);
    EXPECT_EQ(argument, &calls);
    octavo_wakeup wakeup{};
    EXPECT_EQ(octavo_wait_get_wakeup(wait_, &wakeup), OCTAVO_OK);
    EXPECT_EQ(wakeup.fd, -1);
    wakeup.call(wakeup.argument);
    in_thread([&] { EXPECT_EQ(octavo_wait_notify(wait_), OCTAVO_OK); });
    EXPECT_EQ(calls, 2);
    EXPECT_TRUE(all().empty());
    EXPECT_EQ(octavo_wait_get_status(wait_), OCTAVO_WAIT_UNSUPPORTED);
    in_thread([&] { EXPECT_EQ(octavo_wait_set_status(wait_, OCTAVO_WAIT_AGAIN), OCTAVO_OK); });
    EXPECT_EQ(octavo_wait_get_status(wait_), OCTAVO_WAIT_AGAIN);
    EXPECT_EQ(octavo_wait_get_status({77}), OCTAVO_WAIT_UNSUPPORTED);
}

TEST_F(JobWait, AnEventOfItsOwn) {
    octavo_wakeup wakeup{};
    EXPECT_EQ(octavo_wait_get_wakeup(wait_, &wakeup), OCTAVO_OK);
    EXPECT_EQ(wakeup.call, nullptr);
    EXPECT_TRUE(all().empty());  // nobody waits yet
    TestJob run([] { return static_cast<int>(pause()); }, wait_);
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(all(), Fds{wakeup.fd});
    EXPECT_FALSE(readable(wakeup.fd));
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
    in_thread([&] { EXPECT_EQ(octavo_wait_notify(wait_), OCTAVO_OK); });
    EXPECT_TRUE(readable(wakeup.fd));
    EXPECT_EQ(octavo_wait_drain(wait_), OCTAVO_OK);
    EXPECT_FALSE(readable(wakeup.fd));
    octavo_wakeup again{};
    EXPECT_EQ(octavo_wait_get_wakeup(wait_, &again), OCTAVO_OK);
    EXPECT_EQ(again.fd, wakeup.fd);
    EXPECT_EQ(octavo_wait_free(wait_), OCTAVO_OK);
    EXPECT_EQ(fcntl(wakeup.fd, F_GETFD), -1);  // closed with its context
}

/// Runs `function` in a child and answers its exit status.
template <typename Function>
int in_child(Function&& function) {
    const auto child = fork();
    if (child == 0) _exit(function() ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

TEST_F(JobWait, AChildGoesOnWithItsThreadsJobs) {
    octavo_wakeup wakeup{};
    EXPECT_EQ(octavo_wait_get_wakeup(wait_, &wakeup), OCTAVO_OK);
    TestJob run(
        [] {
            pause();
            return static_cast<int>(pause()) + 5;
        },
        wait_);
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    const auto in_the_child = [&] {
        if (run.go() != OCTAVO_JOB_PAUSE) return false;
        octavo_wakeup own{};
        if (octavo_wait_get_wakeup(wait_, &own) != OCTAVO_OK) return false;
        if (octavo_wait_notify(wait_) != OCTAVO_OK || !readable(own.fd) || readable(wakeup.fd)) return false;
        TestJob fresh([] { return 3; });
        if (fresh.go() != OCTAVO_JOB_FINISH) return false;
        return in_child([&] { return run.go() == OCTAVO_JOB_FINISH && run.result == 5; }) == 0;
    };
    EXPECT_EQ(in_child(in_the_child), 0);
    EXPECT_FALSE(readable(wakeup.fd));
    EXPECT_EQ(run.go(), OCTAVO_JOB_PAUSE);
    EXPECT_EQ(run.go(), OCTAVO_JOB_FINISH);
}

TEST(JobFork, FromWithinAJob) {
    TestJob run([] {
        const int status = in_child([] { return pause() == OCTAVO_OK; });
        return status;
    });
    const auto parent = getpid();
    const auto answer = run.go();
    if (getpid() != parent) _exit(answer == OCTAVO_JOB_PAUSE && run.go() == OCTAVO_JOB_FINISH ? 1 : 2);
    EXPECT_EQ(answer, OCTAVO_JOB_FINISH);
    EXPECT_EQ(run.result, 0);
}

}  // namespace
