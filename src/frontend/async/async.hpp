#pragma once

#include <octavo/job.h>
#include <openssl/async.h>

#include <cstdint>

namespace octavo::async {

// OpenSSL's opaque pointers are our numbers: nobody follows them, and a stale one is recognised.
static_assert(sizeof(void*) == sizeof(std::uint64_t));

inline octavo_job from(ASYNC_JOB* job) noexcept { return {reinterpret_cast<std::uint64_t>(job)}; }
inline ASYNC_JOB* to(octavo_job job) noexcept { return reinterpret_cast<ASYNC_JOB*>(job.id); }
inline octavo_wait_context from(ASYNC_WAIT_CTX* context) noexcept { return {reinterpret_cast<std::uint64_t>(context)}; }
inline ASYNC_WAIT_CTX* to(octavo_wait_context context) noexcept {
    return reinterpret_cast<ASYNC_WAIT_CTX*>(context.id);
}

/// While one of these lives on a thread, ASYNC_start_job() ends the job that it is given instead of resuming it.
class Ending {
public:
    Ending() noexcept;
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    ~Ending();

    static bool now() noexcept;
};

}  // namespace octavo::async
