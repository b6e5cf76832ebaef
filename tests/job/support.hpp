#pragma once

#include <gtest/gtest.h>
#include <octavo/job.h>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <thread>

/// What the tests of jobs share.
namespace job_test {

using Body = std::function<int()>;

inline int run_body(void* argument) { return (**static_cast<const Body**>(argument))(); }

/// A job that runs a function object of the test's.
struct TestJob {
    octavo_job job{0};
    int result = -1;
    octavo_wait_context wait{0};
    Body body;

    explicit TestJob(Body function, octavo_wait_context context = {0}) : wait(context), body(std::move(function)) {}
    octavo_job_result go() {
        const Body* pointer = &body;
        return octavo_job_start(&job, wait, &result, run_body, &pointer, sizeof pointer);
    }
};

inline octavo_status pause() { return octavo_job_pause(nullptr, nullptr); }

inline void in_thread(const std::function<void()>& function) { std::thread(function).join(); }

/// The process's resident memory in KiB, without what files back.
inline std::size_t resident_kib() {
    auto* file = std::fopen("/proc/self/status", "r");
    if (file == nullptr) return 0;
    char line[256];
    unsigned long value = 0;
    while (std::fgets(line, sizeof line, file) != nullptr && std::sscanf(line, "RssAnon: %lu", &value) != 1) {
    }
    std::fclose(file);
    return value;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace job_test
