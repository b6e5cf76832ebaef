#include "device/endpoint.hpp"

#include <pthread.h>

namespace octavo::device {
namespace {

std::array<Endpoint, kMaxEndpoints> endpoints;
std::atomic<bool> fallback_is_on{true};

void in_child() noexcept {
    ailing_endpoints.store(0, std::memory_order_relaxed);
    for (auto& one : endpoints) {
        one.state.store(OCTAVO_ENDPOINT_UP, std::memory_order_relaxed);
        one.hung_since_ns.store(0, std::memory_order_relaxed);
        for (auto& ills : one.ills) {
            ills.delay_ns.store(0, std::memory_order_relaxed);
            ills.errors_ppm.store(0, std::memory_order_relaxed);
            ills.hangs.store(false, std::memory_order_relaxed);
        }
    }
}
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, in_child);

}  // namespace

std::atomic<std::uint32_t> ailing_endpoints{0};
Parking health_parking;

Endpoint& endpoint(unsigned number) noexcept { return endpoints[number]; }
bool software_fallback() noexcept { return fallback_is_on.load(std::memory_order_relaxed); }
void set_software_fallback(bool is_on) noexcept { fallback_is_on.store(is_on, std::memory_order_relaxed); }

}  // namespace octavo::device
