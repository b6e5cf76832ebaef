#include "frontend/provider/run.hpp"

#include <utility>

#include "frontend/bridge/bridge.hpp"

namespace octavo::provider {
namespace {

thread_local bool device_failed = false;

/// Not inlined: before a pause this may have been another thread, whose variable has another address.
__attribute__((noinline)) bool note(octavo_status status) noexcept {
    device_failed = status == OCTAVO_ERR_DEVICE;
    return status == OCTAVO_OK;
}

}  // namespace

bool run_raw(octavo_key key, octavo_operation operation, std::span<const std::uint8_t> in,
             std::span<std::uint8_t> out) noexcept {
    return note(bridge::run_raw(key, operation, in, out));
}

std::optional<Reason> refusal() noexcept {
    if (std::exchange(device_failed, false)) return Reason::device_failed;
    if (bridge::job_is_cancelled()) return Reason::job_cancelled;
    return std::nullopt;
}

}  // namespace octavo::provider
