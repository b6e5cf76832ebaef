#include "frontend/provider/run.hpp"

#include <utility>

#include "frontend/bridge/bridge.hpp"

namespace octavo::provider {
namespace {

thread_local bool device_failed = false;

}  // namespace

// Not inlined: before a pause this may have been another thread, whose variable has another address.
__attribute__((noinline)) bool is_done(octavo_status answer) noexcept {
    device_failed = answer == OCTAVO_ERR_DEVICE;
    return answer == OCTAVO_OK;
}

bool run_raw(octavo_key key, octavo_operation operation, std::span<const std::uint8_t> in,
             std::span<std::uint8_t> out) noexcept {
    return is_done(bridge::run_raw(key, operation, in, out));
}

std::optional<Reason> refusal() noexcept {
    if (std::exchange(device_failed, false)) return Reason::device_failed;
    if (bridge::job_is_cancelled()) return Reason::job_cancelled;
    return std::nullopt;
}

}  // namespace octavo::provider
