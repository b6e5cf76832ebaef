#include "frontend/async/async.hpp"

#include <openssl/asyncerr.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "frontend/bridge/error_queue.hpp"

// What the functions do: ASYNC_start_job(3). Every job of the thread is an ASYNC_JOB, whoever started it, so that an engine may
// pause a job that was started through octavo/job.h.

static_assert(ASYNC_ERR == OCTAVO_JOB_ERROR && ASYNC_NO_JOBS == OCTAVO_JOB_NO_JOBS && ASYNC_PAUSE == OCTAVO_JOB_PAUSE &&
              ASYNC_FINISH == OCTAVO_JOB_FINISH);

namespace octavo::async {
namespace {

thread_local bool is_ending = false;

/// OpenSSL keeps its default library context for each thread, and documents it as the job's.
class DefaultContext {
public:
    DefaultContext() noexcept : context_(OSSL_LIB_CTX_set0_default(nullptr)) {}
    void restore() const noexcept { OSSL_LIB_CTX_set0_default(context_); }

private:
    OSSL_LIB_CTX* context_;
};

int end(ASYNC_JOB** job, int* ret) noexcept {
    if (*job == nullptr) return ASYNC_ERR;
    octavo_job_cancel(from(*job));
    *job = nullptr;
    *ret = -1;
    return ASYNC_FINISH;
}

/// The paused function's own frame is gone, or will go, without its destructor.
void discard_errors(void* errors, int discarded) {
    if (discarded != 0) static_cast<bridge::ThreadErrors*>(errors)->~ThreadErrors();
}

}  // namespace

Ending::Ending() noexcept { is_ending = true; }
Ending::~Ending() { is_ending = false; }
bool Ending::now() noexcept { return is_ending; }

}  // namespace octavo::async

using namespace octavo::async;

extern "C" {

#pragma GCC visibility push(default)

int ASYNC_is_capable(void) { return 1; }

int ASYNC_init_thread(size_t max_size, size_t init_size) {
    if (init_size > max_size) {
        ERR_raise(ERR_LIB_ASYNC, ASYNC_R_INVALID_POOL_SIZE);
        return 0;
    }
    if (octavo_job_init_thread(max_size, init_size) == OCTAVO_OK) return 1;
    ERR_raise_data(ERR_LIB_ASYNC, ERR_R_MALLOC_FAILURE, "%s", octavo_error_text());
    return 0;
}

void ASYNC_cleanup_thread(void) { octavo_job_cleanup_thread(); }

int ASYNC_start_job(ASYNC_JOB** job, ASYNC_WAIT_CTX* ctx, int* ret, int (*func)(void*), void* args, size_t size) {
    if (is_ending) return end(job, ret);
    const DefaultContext outside;
    auto handle = from(*job);
    const auto answer = octavo_job_start(&handle, from(ctx), ret, func, args, size);
    outside.restore();
    if (answer == OCTAVO_JOB_ERROR) ERR_raise_data(ERR_LIB_ASYNC, ERR_R_INTERNAL_ERROR, "%s", octavo_error_text());
    if (answer == OCTAVO_JOB_PAUSE || answer == OCTAVO_JOB_FINISH) *job = to(handle);
    return answer;
}

int ASYNC_pause_job(void) {
    if (octavo_job_current().id == 0) return 1;
    octavo::bridge::ThreadErrors errors;
    const DefaultContext inside;
    const auto status = octavo_job_pause(discard_errors, &errors);
    inside.restore();
    errors.restore();
    return status == OCTAVO_CANCELLED ? 0 : 1;
}

ASYNC_JOB* ASYNC_get_current_job(void) { return to(octavo_job_current()); }

ASYNC_WAIT_CTX* ASYNC_get_wait_ctx(ASYNC_JOB* job) { return to(octavo_job_get_wait(from(job))); }

void ASYNC_block_pause(void) { octavo_job_block_pause(); }
void ASYNC_unblock_pause(void) { octavo_job_unblock_pause(); }

#pragma GCC visibility pop

}  // extern "C"
