// OpenSSL's job functions as their manual describes them. Built twice: on the drop-in, and on OpenSSL's own, which is the oracle.
#include <gtest/gtest.h>
#include <openssl/async.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr bool kDropIn = OCTAVO_DROP_IN;

struct Job {
    ASYNC_JOB* job = nullptr;
    ASYNC_WAIT_CTX* wait = ASYNC_WAIT_CTX_new();
    int result = -1;
    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() { ASYNC_WAIT_CTX_free(wait); }
    int go(int (*function)(void*), void* argument = nullptr, std::size_t size = 0) {
        return ASYNC_start_job(&job, wait, &result, function, argument, size);
    }
};

int pause_twice(void*) { return ASYNC_pause_job() + ASYNC_pause_job(); }

TEST(Async, IsTheOneThatIsTested) {
    ASSERT_EQ(ASYNC_is_capable(), 1);
    ASYNC_JOB* job = nullptr;
    int result = 0;
    // Only the drop-in tells a job that never was.
    if (kDropIn) {
        job = reinterpret_cast<ASYNC_JOB*>(0x100000001);
        EXPECT_EQ(ASYNC_start_job(&job, nullptr, &result, pause_twice, nullptr, 0), ASYNC_ERR);
        EXPECT_EQ(ERR_GET_LIB(ERR_get_error()), ERR_LIB_ASYNC);
    }
}

TEST(Async, RunsPausesAndFinishes) {
    Job job;
    EXPECT_EQ(job.go(pause_twice), ASYNC_PAUSE);
    EXPECT_NE(job.job, nullptr);
    EXPECT_EQ(ASYNC_get_wait_ctx(job.job), job.wait);
    EXPECT_EQ(ASYNC_get_current_job(), nullptr);
    EXPECT_EQ(job.go(nullptr), ASYNC_PAUSE);
    EXPECT_EQ(job.go(nullptr), ASYNC_FINISH);
    EXPECT_EQ(job.job, nullptr);
    EXPECT_EQ(job.result, 2);
}

TEST(Async, CopiesTheArguments) {
    Job job;
    char text[200] = "before";
    const auto compare = [](void* argument) {
        ASYNC_pause_job();
        return std::strcmp(static_cast<char*>(argument), "before") == 0 ? 1 : 0;
    };
    EXPECT_EQ(job.go(compare, text, sizeof text), ASYNC_PAUSE);
    std::strcpy(text, "after");
    EXPECT_EQ(job.go(nullptr), ASYNC_FINISH);
    EXPECT_EQ(job.result, 1);
}

TEST(Async, KnowsTheCurrentJob) {
    Job job;
    const auto body = [](void* argument) {
        auto* self = ASYNC_get_current_job();
        return self != nullptr && ASYNC_get_wait_ctx(self) == *static_cast<ASYNC_WAIT_CTX**>(argument) ? 1 : 0;
    };
    EXPECT_EQ(job.go(body, &job.wait, sizeof job.wait), ASYNC_FINISH);
    EXPECT_EQ(job.result, 1);
    EXPECT_EQ(ASYNC_pause_job(), 1);  // outside a job: nothing, and counted as success
}

TEST(Async, PausingCanBeBlocked) {
    Job job;
    const auto body = [](void*) {
        ASYNC_block_pause();
        ASYNC_block_pause();
        const int first = ASYNC_pause_job();
        ASYNC_unblock_pause();
        const int second = ASYNC_pause_job();
        ASYNC_unblock_pause();
        return first * 100 + second * 10 + ASYNC_pause_job();
    };
    EXPECT_EQ(job.go(body), ASYNC_PAUSE);
    EXPECT_EQ(job.go(nullptr), ASYNC_FINISH);
    EXPECT_EQ(job.result, 111);
}

TEST(Async, PoolOfAThread) {
    std::thread([] {
        EXPECT_EQ(ASYNC_init_thread(1, 2), 0);
        EXPECT_EQ(ERR_GET_LIB(ERR_get_error()), ERR_LIB_ASYNC);
        EXPECT_EQ(ASYNC_init_thread(1, 1), 1);
        Job first, second;
        EXPECT_EQ(first.go(pause_twice), ASYNC_PAUSE);
        EXPECT_EQ(second.go(pause_twice), ASYNC_NO_JOBS);
        EXPECT_EQ(second.job, nullptr);
        EXPECT_EQ(first.go(nullptr), ASYNC_PAUSE);
        EXPECT_EQ(first.go(nullptr), ASYNC_FINISH);
        EXPECT_EQ(second.go(pause_twice), ASYNC_PAUSE);
        EXPECT_EQ(second.go(nullptr), ASYNC_PAUSE);
        EXPECT_EQ(second.go(nullptr), ASYNC_FINISH);
        ASYNC_cleanup_thread();
    }).join();
}

TEST(Async, TheDefaultLibraryContextIsTheJobs) {
    auto* context = OSSL_LIB_CTX_new();
    Job job;
    const auto body = [](void* argument) {
        auto* mine = *static_cast<OSSL_LIB_CTX**>(argument);
        OSSL_LIB_CTX_set0_default(mine);
        ASYNC_pause_job();
        return OSSL_LIB_CTX_set0_default(nullptr) == mine ? 1 : 0;
    };
    auto* outside = OSSL_LIB_CTX_set0_default(nullptr);
    EXPECT_EQ(job.go(body, &context, sizeof context), ASYNC_PAUSE);
    EXPECT_EQ(OSSL_LIB_CTX_set0_default(nullptr), outside);
    EXPECT_EQ(job.go(nullptr), ASYNC_FINISH);
    EXPECT_EQ(job.result, 1);
    EXPECT_EQ(OSSL_LIB_CTX_set0_default(nullptr), outside);
    OSSL_LIB_CTX_free(context);
}

/// Beyond OpenSSL's own: its queue and errno are the thread's, and a job's come back as they were left.
TEST(AsyncDropIn, ErrorsAreTheJobs) {
    Job job;
    const auto body = [](void*) {
        ERR_raise(ERR_LIB_USER, 7);
        errno = 77;
        ASYNC_pause_job();
        const bool same = errno == 77 && ERR_GET_REASON(ERR_get_error()) == 7 && ERR_get_error() == 0;
        return same ? 1 : 0;
    };
    EXPECT_EQ(job.go(body), ASYNC_PAUSE);
    EXPECT_EQ(ERR_peek_error(), 0UL);
    errno = 5;
    EXPECT_EQ(job.go(nullptr), ASYNC_FINISH);
    EXPECT_EQ(job.result, 1);
}

// ---- wait contexts ----

using Fds = std::vector<OSSL_ASYNC_FD>;
const char a = 0, b = 0;

Fds all(ASYNC_WAIT_CTX* wait) {
    std::size_t count = 0;
    EXPECT_EQ(ASYNC_WAIT_CTX_get_all_fds(wait, nullptr, &count), 1);
    Fds fds(count);
    EXPECT_EQ(ASYNC_WAIT_CTX_get_all_fds(wait, fds.data(), &count), 1);
    return fds;
}

void expect_changes(ASYNC_WAIT_CTX* wait, const Fds& added, const Fds& deleted) {
    std::size_t num_added = 99, num_deleted = 99;
    EXPECT_EQ(ASYNC_WAIT_CTX_get_changed_fds(wait, nullptr, &num_added, nullptr, &num_deleted), 1);
    ASSERT_EQ(num_added, added.size());
    ASSERT_EQ(num_deleted, deleted.size());
    Fds is_added(num_added), is_deleted(num_deleted);
    EXPECT_EQ(ASYNC_WAIT_CTX_get_changed_fds(wait, is_added.data(), &num_added, is_deleted.data(), &num_deleted), 1);
    EXPECT_EQ(is_added, added);
    EXPECT_EQ(is_deleted, deleted);
}

struct Cleaned {
    std::vector<int> fds;
    static void up(ASYNC_WAIT_CTX*, const void* key, OSSL_ASYNC_FD fd, void* self) {
        EXPECT_EQ(key, &a);
        static_cast<Cleaned*>(self)->fds.push_back(fd);
    }
};

TEST(AsyncWait, DescriptorsByKey) {
    Cleaned cleaned;
    auto* wait = ASYNC_WAIT_CTX_new();
    OSSL_ASYNC_FD fd = -1;
    void* custom = nullptr;
    EXPECT_EQ(ASYNC_WAIT_CTX_get_fd(wait, &a, &fd, &custom), 0);
    EXPECT_EQ(ASYNC_WAIT_CTX_clear_fd(wait, &a), 0);
    EXPECT_EQ(ASYNC_WAIT_CTX_set_wait_fd(wait, &a, 10, &cleaned, Cleaned::up), 1);
    EXPECT_EQ(ASYNC_WAIT_CTX_set_wait_fd(wait, &b, 11, nullptr, nullptr), 1);
    EXPECT_EQ(ASYNC_WAIT_CTX_get_fd(wait, &a, &fd, &custom), 1);
    EXPECT_EQ(fd, 10);
    EXPECT_EQ(custom, &cleaned);
    EXPECT_EQ(all(wait), (Fds{11, 10}));
    EXPECT_EQ(ASYNC_WAIT_CTX_clear_fd(wait, &b), 1);
    EXPECT_EQ(all(wait), Fds{10});
    ASYNC_WAIT_CTX_free(wait);
    EXPECT_EQ(cleaned.fds, std::vector<int>{10});
    ASYNC_WAIT_CTX_free(nullptr);
}

TEST(AsyncWait, ChangesUntilTheJobGoesOn) {
    Job job;
    const auto body = [](void*) {
        auto* wait = ASYNC_get_wait_ctx(ASYNC_get_current_job());
        ASYNC_WAIT_CTX_set_wait_fd(wait, &a, 10, nullptr, nullptr);
        ASYNC_pause_job();
        expect_changes(wait, {}, {});
        ASYNC_WAIT_CTX_clear_fd(wait, &a);
        ASYNC_WAIT_CTX_set_wait_fd(wait, &b, 11, nullptr, nullptr);
        ASYNC_pause_job();
        return 1;
    };
    EXPECT_EQ(job.go(body), ASYNC_PAUSE);
    expect_changes(job.wait, {10}, {});
    EXPECT_EQ(job.go(nullptr), ASYNC_PAUSE);
    expect_changes(job.wait, {11}, {10});
    EXPECT_EQ(all(job.wait), Fds{11});
    EXPECT_EQ(job.go(nullptr), ASYNC_FINISH);
    expect_changes(job.wait, {}, {});
}

TEST(AsyncWait, CallbackAndStatus) {
    auto* wait = ASYNC_WAIT_CTX_new();
    ASYNC_callback_fn callback = nullptr;
    void* argument = nullptr;
    EXPECT_EQ(ASYNC_WAIT_CTX_get_callback(wait, &callback, &argument), 0);
    EXPECT_EQ(ASYNC_WAIT_CTX_get_status(wait), ASYNC_STATUS_UNSUPPORTED);
    int value = 0;
    const ASYNC_callback_fn count = [](void* counter) { return ++*static_cast<int*>(counter); };
    EXPECT_EQ(ASYNC_WAIT_CTX_set_callback(wait, count, &value), 1);
    EXPECT_EQ(ASYNC_WAIT_CTX_get_callback(wait, &callback, &argument), 1);
    EXPECT_EQ(callback, count);
    EXPECT_EQ(argument, &value);
    EXPECT_EQ(ASYNC_WAIT_CTX_set_status(wait, ASYNC_STATUS_EAGAIN), 1);
    EXPECT_EQ(ASYNC_WAIT_CTX_get_status(wait), ASYNC_STATUS_EAGAIN);
    ASYNC_WAIT_CTX_free(wait);
}

}  // namespace
