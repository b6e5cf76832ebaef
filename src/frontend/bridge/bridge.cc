#include "frontend/bridge/bridge.hpp"

#include <openssl/async.h>

#include <cstdint>

#include "frontend/bridge/error_queue.hpp"
#include "frontend/bridge/thread_instance.hpp"
#include "frontend/bridge/waiter.hpp"

namespace octavo::bridge {
namespace {

/// Pauses for a place in a full ring before the operation is done in place: others may have results to fetch first.
constexpr int kRetryPauses = 8;
/// Returns from a pause with nothing done before the wait happens in place. OpenSSL answers a blocked pause (ASYNC_block_pause)
/// as if the job had been paused and resumed; a caller that resumes without waiting looks the same.
constexpr int kIdleReturns = 64;
/// All of them: a wake-up has been taken, and its reply may be the last of a full ring. Ours have no callbacks to run.
constexpr std::size_t kPollQuota = SIZE_MAX;

struct Raw {
    octavo_instance instance;
    octavo_key key;
    octavo_operation operation;
    std::span<const std::uint8_t> in;
    std::span<std::uint8_t> out;
};

octavo_status execute(const Raw& raw) noexcept {
    std::size_t len = 0;
    return octavo_execute(raw.instance, raw.key, raw.operation, raw.in.data(), raw.in.size(), raw.out.data(),
                          raw.out.size(), &len);
}

bool pause(Waiter& waiter) noexcept {
    ThreadErrors errors;
    const bool resumed = ASYNC_pause_job() == 1;
    if (resumed) waiter.drain();
    errors.restore();
    return resumed;
}

octavo_status submit(const Raw& raw, Waiter& waiter, octavo_request& request) noexcept {
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = raw.key;
    submission.operation = static_cast<std::uint32_t>(raw.operation);
    submission.input = raw.in.data();
    submission.input_len = raw.in.size();
    submission.wakeup = waiter.wakeup();
    auto status = octavo_submit(raw.instance, &submission, &request);
    for (int i = 0; status == OCTAVO_RETRY && i < kRetryPauses; ++i) {
        octavo_poll(raw.instance, kPollQuota, nullptr);
        waiter.wake();
        if (!pause(waiter)) break;
        submission.wakeup = waiter.wakeup();
        status = octavo_submit(raw.instance, &submission, &request);
    }
    return status;
}

octavo_status fetch(const Raw& raw, octavo_request request) noexcept {
    std::size_t len = 0;
    return octavo_result(raw.instance, request, raw.out.data(), raw.out.size(), &len);
}

octavo_status poll_and_fetch(const Raw& raw, octavo_request request) noexcept {
    const auto status = fetch(raw, request);
    if (status != OCTAVO_PENDING) return status;
    octavo_poll(raw.instance, kPollQuota, nullptr);
    return fetch(raw, request);
}

octavo_status await(const Raw& raw, Waiter& waiter, octavo_request request) noexcept {
    auto status = OCTAVO_PENDING;
    for (int i = 0; status == OCTAVO_PENDING && i < kIdleReturns; ++i) {
        if (!pause(waiter)) break;
        status = poll_and_fetch(raw, request);
    }
    if (status != OCTAVO_PENDING) return status;
    octavo_wait(raw.instance, request, UINT64_MAX);
    return fetch(raw, request);
}

octavo_status run_in_job(const Raw& raw, ASYNC_JOB* job) noexcept {
    auto* waiter = Waiter::of(ASYNC_get_wait_ctx(job));
    if (waiter == nullptr) return execute(raw);
    octavo_request request{};
    auto status = submit(raw, *waiter, request);
    if (status == OCTAVO_PENDING) {
        waiter->submitted(raw.instance, request);
        status = await(raw, *waiter, request);
        waiter->finished();
    } else if (status == OCTAVO_OK) {
        status = fetch(raw, request);
    }
    // Full for too long, or a child of the process that submitted: here and now, then.
    const bool lost = status == OCTAVO_RETRY || status == OCTAVO_CANCELLED || status == OCTAVO_ERR_BAD_HANDLE;
    return lost ? execute(raw) : status;
}

}  // namespace

octavo_status run_raw(octavo_key key, octavo_operation operation, std::span<const std::uint8_t> in,
                      std::span<std::uint8_t> out) noexcept {
    const Raw raw{thread_instance(), key, operation, in, out};
    if (raw.instance.id == 0) return OCTAVO_ERR_SYSTEM;
    auto* job = ASYNC_get_current_job();
    return job == nullptr ? execute(raw) : run_in_job(raw, job);
}

}  // namespace octavo::bridge
