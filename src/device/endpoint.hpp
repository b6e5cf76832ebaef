#pragma once

#include <octavo/octavo.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "base/parking.hpp"

/// The endpoints of this process: their states, and what injected faults do to them. Written by the health thread (instance/health.hpp), read
/// by whoever drives a device or submits to one. A child after fork() begins with all of them up and no faults.
namespace octavo::device {

inline constexpr unsigned kMaxEndpoints = 32;
inline constexpr std::size_t kMaxOperations = 16;  ///< numbers of octavo_operation are below

struct Endpoint {
    /// What an injected fault does to requests of one operation.
    struct Ills {
        std::atomic<std::uint64_t> delay_ns{0};
        std::atomic<std::uint32_t> errors_ppm{0};  ///< so many of a million fail
        std::atomic<bool> hangs{false};            ///< taken, and never answered
    };

    std::atomic<std::uint32_t> state{OCTAVO_ENDPOINT_UP};
    std::atomic<std::uint64_t> hung_since_ns{0};  ///< the first request that is not answered came then; 0: none
    std::array<Ills, kMaxOperations> ills;

    bool is_up() const noexcept { return state.load(std::memory_order_acquire) == OCTAVO_ENDPOINT_UP; }
};

/// `number` is below kMaxEndpoints.
Endpoint& endpoint(unsigned number) noexcept;

/// Bit by bit, the endpoints that are not up or have faults.
extern std::atomic<std::uint32_t> ailing_endpoints;

/// The only question on the way of a request: one relaxed load.
inline bool is_ailing(unsigned number) noexcept {
    return (ailing_endpoints.load(std::memory_order_relaxed) >> number & 1) != 0;
}
/// The endpoint takes no requests.
inline bool is_away(unsigned number) noexcept { return is_ailing(number) && !endpoint(number).is_up(); }

/// Where the health thread sleeps while no engine thread is at work.
extern Parking health_parking;

/// Whether what an endpoint cannot do is computed elsewhere (the default), or fails with OCTAVO_ERR_DEVICE.
bool software_fallback() noexcept;
void set_software_fallback(bool is_on) noexcept;

}  // namespace octavo::device
