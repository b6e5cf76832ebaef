#include "instance/health.hpp"

#include <octavo/octavo.h>

#include "base/error.hpp"
#include "capi/guard.hpp"
#include "device/endpoint.hpp"
#include "instance/events.hpp"

namespace {

using octavo::fail;
using octavo::capi::check_size;
using octavo::capi::guarded;
using octavo::capi::null_argument;
namespace device = octavo::device;
namespace instance = octavo::instance;

}  // namespace

extern "C" {

octavo_status octavo_endpoint_count(size_t* count) {
    if (count == nullptr) return null_argument("count");
    *count = instance::count_endpoints();
    return OCTAVO_OK;
}

octavo_status octavo_endpoint_get(size_t index, octavo_endpoint* endpoint) {
    if (endpoint == nullptr) return null_argument("endpoint");
    if (const auto status = check_size("endpoint", *endpoint); status != OCTAVO_OK) return status;
    return instance::get_endpoint(index, *endpoint);
}

octavo_status octavo_event_subscribe(octavo_event_callback* callback, void* argument, uint64_t* subscription) {
    if (subscription == nullptr) return null_argument("subscription");
    *subscription = 0;
    if (callback == nullptr) return null_argument("callback");
    return guarded([&] { return instance::subscribe(callback, argument, *subscription); });
}

octavo_status octavo_event_unsubscribe(uint64_t subscription) {
    return guarded([&] { return instance::unsubscribe(subscription); });
}

octavo_status octavo_software_fallback_set(int is_on) {
    if (is_on != 0 && is_on != 1) return fail(OCTAVO_ERR_BAD_ARGUMENT, "is_on: %d; 0 or 1", is_on);
    device::set_software_fallback(is_on == 1);
    return OCTAVO_OK;
}

octavo_status octavo_software_fallback_get(int* is_on) {
    if (is_on == nullptr) return null_argument("is_on");
    *is_on = device::software_fallback() ? 1 : 0;
    return OCTAVO_OK;
}

}  // extern "C"
