#pragma once

#include "frontend/bridge/pauser.hpp"
#include "octavo/job.h"

namespace octavo::bridge {

/// A job of our own runtime (job.h), on whose stack this lives while it waits.
class OwnJob final : public Pauser {
public:
    explicit OwnJob(octavo_wait_context wait) noexcept : wait_(wait) {}

    octavo_wakeup wakeup() noexcept override;
    void notify() noexcept override { octavo_wait_notify(wait_); }
    void submitted(octavo_instance instance, octavo_request request) noexcept override;
    void finished() noexcept override { request_ = {0}; }
    octavo_status pause_for_room() noexcept override;
    octavo_status pause() noexcept override;

private:
    static void ended(void* pause, int discarded);

    octavo_wait_context wait_;
    octavo_instance instance_{};
    octavo_request request_{};
};

}  // namespace octavo::bridge
