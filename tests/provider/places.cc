#include "places.hpp"

#include <openssl/async.h>
#include <openssl/err.h>
#include <poll.h>

#include "octavo/job.h"

namespace octavo::test {
namespace {

using Work = std::function<void()>;

int call(void* argument) {
    (**static_cast<const Work**>(argument))();
    return 1;
}

bool readable(int fd) {
    pollfd wanted{fd, POLLIN, 0};
    return poll(&wanted, 1, 60000) == 1;
}

}  // namespace

void in_no_job(const Work& work) { work(); }

void in_own_job(const Work& work) {
    const auto wait = octavo_wait_new();
    octavo_job job{};
    const auto* pointer = &work;
    while (octavo_job_start(&job, wait, nullptr, call, &pointer, sizeof pointer) == OCTAVO_JOB_PAUSE) {
        int fd = -1;
        std::size_t count = 1;
        octavo_wait_get_all_fds(wait, &fd, &count);
        if (!readable(fd)) ADD_FAILURE() << "a wake-up was lost";
    }
    octavo_wait_free(wait);
}

void in_async_job(const Work& work) {
    auto* wait = ASYNC_WAIT_CTX_new();
    ASYNC_JOB* job = nullptr;
    const auto* pointer = &work;
    int result = 0;
    while (ASYNC_start_job(&job, wait, &result, call, &pointer, sizeof pointer) == ASYNC_PAUSE) {
        int fd = -1;
        std::size_t count = 1;
        ASYNC_WAIT_CTX_get_all_fds(wait, &fd, &count);
        if (!readable(fd)) ADD_FAILURE() << "a wake-up was lost";
    }
    EXPECT_EQ(result, 1);
    ASYNC_WAIT_CTX_free(wait);
}

const Place kPlaces[kNumPlaces] = {
    {"default provider", without_octavo, in_no_job},
    {"octavo", with_octavo, in_no_job},
    {"octavo in a job", with_octavo, in_own_job},
    {"octavo in an ASYNC_JOB", with_octavo, in_async_job},
};

std::string compare_places(const std::string& what, const std::function<void(Trace&, OSSL_LIB_CTX*)>& run) {
    SCOPED_TRACE(what);
    std::string first;
    for (const auto& place : kPlaces) {
        Trace trace;
        ERR_clear_error();
        place.run([&] { run(trace, place.side()); });
        if (&place == kPlaces)
            first = trace.text();
        else
            EXPECT_EQ(trace.text(), first) << place.name;
    }
    return first;
}

}  // namespace octavo::test
