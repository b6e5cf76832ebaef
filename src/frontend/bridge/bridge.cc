#include "frontend/bridge/bridge.hpp"

#include <openssl/async.h>

#include <algorithm>
#include <cstdint>

#include "frontend/bridge/own_job.hpp"
#include "frontend/bridge/waiter.hpp"

namespace octavo::bridge {
namespace {

/// Returns from a pause with nothing done before the wait happens in place. OpenSSL answers a blocked pause (ASYNC_block_pause)
/// as if the job had been paused and resumed; a caller that resumes without waiting looks the same.
constexpr int kIdleReturns = 64;
/// All of them: a wake-up has been taken, and its reply may be the last of a full ring.
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

/// One operation of a job, on the job's stack.
class Operation {
public:
    Operation(const Raw& raw, Pauser& pauser) noexcept : raw_(raw), pauser_(pauser) {}

    octavo_status run() noexcept {
        auto status = submit();
        if (status == OCTAVO_RETRY) status = submit_again();
        if (status == OCTAVO_PENDING) {
            pauser_.submitted(raw_.instance, request_);
            status = await();
            pauser_.finished();
        } else if (status == OCTAVO_OK) {
            status = fetch();
        }
        return status;
    }

private:
    /// By default a callback comes from an engine thread alone: in its own call the job's owner need not expect it.
    void see_who_polls(const octavo_wakeup& wakeup) noexcept {
        std::uint32_t driver = OCTAVO_DRIVER_AUTO, mode = OCTAVO_POLLING_DEFAULT, computes = 0;
        octavo_instance_driver(raw_.instance, &driver);
        if (driver != OCTAVO_DRIVER_AUTO) octavo_instance_polling(raw_.instance, &mode);
        if (driver != OCTAVO_DRIVER_AUTO || wakeup.call == nullptr)
            octavo_instance_waiter_computes(raw_.instance, raw_.key, raw_.operation, &computes);
        polls_itself_ = computes != 0;
        polled_outside_ = driver == OCTAVO_DRIVER_INLINE && mode == OCTAVO_POLLING_DEFAULT;
    }

    /// Where the thread's event loop polls the device, the reply comes to a callback, which tells the job's owner; elsewhere an
    /// engine thread or a poller tells it, and the job fetches the reply.
    octavo_status submit() noexcept {
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = raw_.key;
        submission.operation = static_cast<std::uint32_t>(raw_.operation);
        submission.input = raw_.in.data();
        submission.input_len = raw_.in.size();
        const auto wakeup = pauser_.wakeup();
        see_who_polls(wakeup);
        if (wakeup.fd < 0 && wakeup.call == nullptr) return OCTAVO_ERR_SYSTEM;
        if (polled_outside_) {
            submission.callback = replied;
            submission.callback_argument = this;
        } else if (!polls_itself_) {
            submission.wakeup = wakeup;
        }
        return octavo_submit(raw_.instance, &submission, &request_);
    }

    /// As often as the retry limit allows, each time after a pause: others may have results to fetch first.
    octavo_status submit_again() noexcept {
        std::int32_t limit = 0;
        octavo_retry_limit_get(&limit);
        auto status = OCTAVO_RETRY;
        for (std::int32_t i = 0; status == OCTAVO_RETRY && (limit < 0 || i < limit); ++i) {
            make_room(i);
            const auto paused = pauser_.pause_for_room();
            if (paused != OCTAVO_OK) return paused;
            status = submit();
        }
        return status;
    }

    /// Where nobody else polls, because the pause is blocked, it is this thread's turn in the end.
    void make_room(std::int32_t tries) noexcept {
        const bool is_stuck = tries >= kIdleReturns;
        if (is_stuck) octavo_polling_poll(OCTAVO_POLLING_OWN, nullptr);
        if (!polled_outside_ || is_stuck) octavo_poll(raw_.instance, kPollQuota, nullptr);
    }

    static void replied(void* operation, octavo_request, octavo_status status, const std::uint8_t* output,
                        std::size_t len) {
        auto* self = static_cast<Operation*>(operation);
        if (status == OCTAVO_OK) std::copy_n(output, len, self->raw_.out.data());
        self->reply_ = status;
        self->pauser_.notify();
    }

    octavo_status await() noexcept {
        if (polls_itself_) pauser_.notify();  // others submit meanwhile
        for (int i = 0; reply_ == OCTAVO_PENDING && i < kIdleReturns; ++i) {
            const auto paused = pauser_.pause();
            if (paused == OCTAVO_CANCELLED) return cancel();
            if (paused != OCTAVO_OK) break;
            if (polls_itself_) break;
            if (!polled_outside_) look();
        }
        while (reply_ == OCTAVO_PENDING)
            if (!wait_in_place()) return cancel();
        return reply_;
    }

    octavo_status cancel() noexcept {
        octavo_cancel(raw_.instance, request_);
        return OCTAVO_CANCELLED;
    }

    void look() noexcept {
        reply_ = fetch();
        if (reply_ != OCTAVO_PENDING) return;
        octavo_poll(raw_.instance, kPollQuota, nullptr);
        reply_ = fetch();
    }

    /// False where that is not possible: in a callback of the same instance.
    bool wait_in_place() noexcept {
        if (polled_outside_) return octavo_poll(raw_.instance, 1, nullptr) == OCTAVO_OK;
        octavo_wait(raw_.instance, request_, UINT64_MAX);
        reply_ = fetch();
        return true;
    }

    octavo_status fetch() noexcept {
        std::size_t len = 0;
        return octavo_result(raw_.instance, request_, raw_.out.data(), raw_.out.size(), &len);
    }

    const Raw& raw_;
    Pauser& pauser_;
    octavo_request request_{};
    octavo_status reply_ = OCTAVO_PENDING;
    bool polled_outside_ = false, polls_itself_ = false;
};

/// Full for too long, nobody to wake the job, or a child of the process that submitted: here and now, then.
bool lost(octavo_status status) noexcept {
    return status == OCTAVO_RETRY || status == OCTAVO_CANCELLED || status == OCTAVO_ERR_BAD_HANDLE ||
           status == OCTAVO_ERR_SYSTEM;
}

octavo_status run_in_own_job(const Raw& raw, octavo_wait_context wait) noexcept {
    OwnJob job{wait};
    const auto status = Operation{raw, job}.run();
    if (job_is_cancelled()) return OCTAVO_CANCELLED;
    return lost(status) ? execute(raw) : status;
}

octavo_status run_in_async_job(const Raw& raw, ASYNC_JOB* job) noexcept {
    auto* waiter = Waiter::of(ASYNC_get_wait_ctx(job));
    if (waiter == nullptr) return execute(raw);
    const auto status = Operation{raw, *waiter}.run();
    waiter->release();
    return lost(status) ? execute(raw) : status;
}

}  // namespace

bool in_job() noexcept { return octavo_job_current().id != 0 || ASYNC_get_current_job() != nullptr; }

bool job_is_cancelled() noexcept { return octavo_job_get_state(octavo_job_current()) == OCTAVO_JOB_STATE_CANCELLED; }

bool is_worth(octavo_key key, octavo_operation operation) noexcept {
    octavo_instance instance{};
    return octavo_thread_instance(&instance) == OCTAVO_OK &&
           octavo_consult(instance, key, operation, in_job() ? 1 : 0) == OCTAVO_OK;
}

octavo_status run_raw(octavo_key key, octavo_operation operation, std::span<const std::uint8_t> in,
                      std::span<std::uint8_t> out) noexcept {
    octavo_instance instance{};
    if (const auto status = octavo_thread_instance(&instance); status != OCTAVO_OK) return status;
    const Raw raw{instance, key, operation, in, out};
    if (const auto job = octavo_job_current(); job.id != 0) {
        const auto wait = octavo_job_get_wait(job);
        return wait.id != 0 ? run_in_own_job(raw, wait) : execute(raw);
    }
    auto* job = ASYNC_get_current_job();
    return job == nullptr ? execute(raw) : run_in_async_job(raw, job);
}

}  // namespace octavo::bridge
