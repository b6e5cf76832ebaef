#include "instance/polling.hpp"

#include <octavo/octavo.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "capi/guard.hpp"
#include "config/process.hpp"
#include "config/thread_instance.hpp"
#include "instance/poller.hpp"

namespace {

using octavo::fail;
using octavo::capi::check_size;
using octavo::capi::guarded;
using octavo::capi::null_argument;
namespace config = octavo::config;
namespace instance = octavo::instance;

octavo_status bad_index(std::size_t index, std::size_t count) noexcept {
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "index: %zu; for polling, the process has %zu", index, count);
}

std::size_t count_instances() {
    const auto plan = config::process_plan();
    return plan->instances.empty() ? 1 : plan->instances.size();
}

octavo_status check_external(std::size_t index) {
    if (!config::application_polls())
        return fail(OCTAVO_ERR_UNSUPPORTED, "the application polls in the modes external and heuristic alone");
    if (index == OCTAVO_POLLING_ALL || index == OCTAVO_POLLING_OWN) return OCTAVO_OK;
    const auto count = count_instances();
    return index < count ? OCTAVO_OK : bad_index(index, count);
}

}  // namespace

extern "C" {

octavo_status octavo_polling_set(const octavo_polling* settings) {
    if (settings == nullptr) return null_argument("settings");
    if (const auto status = check_size("settings", *settings); status != OCTAVO_OK) return status;
    return guarded([&] { return instance::set_polling(*settings); });
}

octavo_status octavo_polling_get(octavo_polling* settings) {
    if (settings == nullptr) return null_argument("settings");
    if (const auto status = check_size("settings", *settings); status != OCTAVO_OK) return status;
    return guarded([&] {
        const auto now = instance::polling();
        *settings = {sizeof *settings, now.mode, now.driver, now.interval_ns, now.timeout_ms};
        return OCTAVO_OK;
    });
}

octavo_status octavo_polling_reset(void) {
    return guarded([] {
        instance::reset_polling();
        return OCTAVO_OK;
    });
}

octavo_status octavo_polling_count(size_t* count) {
    if (count == nullptr) return null_argument("count");
    return guarded([&] {
        *count = count_instances();
        return OCTAVO_OK;
    });
}

octavo_status octavo_polling_bind(size_t index) {
    return guarded([&] {
        if (!config::process_plan()->instances.empty()) return config::bind_thread(index);
        return index == 0 ? OCTAVO_OK : bad_index(index, 1);
    });
}

octavo_status octavo_polling_in_flight(uint32_t kind, const volatile int32_t** count) {
    if (count == nullptr) return null_argument("count");
    *count = instance::in_flight_address(kind);
    if (*count != nullptr) return OCTAVO_OK;
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "kind: %u is none; see octavo_in_flight", kind);
}

octavo_status octavo_polling_poll(size_t index, size_t* num_completed) {
    std::size_t count = 0;
    const auto status = guarded([&] {
        if (const auto bad = check_external(index); bad != OCTAVO_OK) return bad;
        count = instance::poll_devices(index);
        return OCTAVO_OK;
    });
    if (num_completed != nullptr) *num_completed = count;
    return status;
}

octavo_status octavo_polling_fd(size_t index, int* fd) {
    if (fd == nullptr) return null_argument("fd");
    *fd = -1;
    return guarded([&] {
        if (const auto status = check_external(index); status != OCTAVO_OK) return status;
        if (index >= count_instances()) return bad_index(index, count_instances());
        *fd = instance::external_fd(index);
        return *fd >= 0 ? OCTAVO_OK : fail(OCTAVO_ERR_SYSTEM, "no descriptor: %s", std::strerror(errno));
    });
}

octavo_status octavo_retry_limit_set(int32_t limit) { return instance::set_retry_limit(limit); }

octavo_status octavo_retry_limit_get(int32_t* limit) {
    if (limit == nullptr) return null_argument("limit");
    *limit = instance::retry_limit();
    return OCTAVO_OK;
}

octavo_status octavo_retry_count(uint64_t* count) {
    if (count == nullptr) return null_argument("count");
    *count = instance::retry_count();
    return OCTAVO_OK;
}

}  // extern "C"
