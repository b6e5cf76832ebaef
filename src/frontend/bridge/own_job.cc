#include "frontend/bridge/own_job.hpp"

#include <memory>

#include "frontend/bridge/error_queue.hpp"

namespace octavo::bridge {
namespace {

struct Pause {
    octavo_instance instance;
    octavo_request request;
    ThreadErrors* errors;
};

}  // namespace

octavo_wakeup OwnJob::wakeup() noexcept {
    octavo_wakeup wakeup{-1, nullptr, nullptr};
    if (octavo_wait_get_wakeup(wait_, &wakeup) != OCTAVO_OK) return {-1, nullptr, nullptr};
    return wakeup;
}

void OwnJob::submitted(octavo_instance instance, octavo_request request) noexcept {
    instance_ = instance;
    request_ = request;
    octavo_wait_set_status(wait_, OCTAVO_WAIT_OK);
}

octavo_status OwnJob::pause_for_room() noexcept {
    octavo_wait_set_status(wait_, OCTAVO_WAIT_AGAIN);
    octavo_wait_notify(wait_);
    return pause();
}

/// The job will not go on: nothing may touch its stack any more, and where no destructor will run, its memory is freed here.
void OwnJob::ended(void* pause, int discarded) {
    const auto* what = static_cast<Pause*>(pause);
    if (what->request.id != 0) octavo_cancel(what->instance, what->request);
    if (discarded != 0) std::destroy_at(what->errors);
}

octavo_status OwnJob::pause() noexcept {
    ThreadErrors errors;
    Pause what{instance_, request_, &errors};
    const auto status = octavo_job_pause(ended, &what);
    if (status == OCTAVO_OK) octavo_wait_drain(wait_);
    errors.restore();
    return status;
}

}  // namespace octavo::bridge
