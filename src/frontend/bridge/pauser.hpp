#pragma once

#include "octavo/octavo.h"

namespace octavo::bridge {

/// A job that can pause for a request, of our runtime or of OpenSSL's.
class Pauser {
public:
    virtual ~Pauser() = default;

    /// How an engine thread tells that the request is done. {-1, null, null} where the job offers no way.
    virtual octavo_wakeup wakeup() noexcept = 0;
    /// The same from this thread, which polls the device itself.
    virtual void notify() noexcept = 0;
    /// Between these two, the request may use the wake-up or its callback.
    virtual void submitted(octavo_instance instance, octavo_request request) noexcept = 0;
    virtual void finished() noexcept = 0;
    /// Pauses because nothing could be submitted; whoever resumes jobs shall come back soon.
    virtual octavo_status pause_for_room() noexcept = 0;
    /// OCTAVO_OK when resumed, for whatever reason; OCTAVO_CANCELLED: the job is to end, and its request has been cancelled;
    /// OCTAVO_RETRY: it cannot pause here.
    virtual octavo_status pause() noexcept = 0;
};

}  // namespace octavo::bridge
