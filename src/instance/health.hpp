#pragma once

#include <octavo/octavo.h>

#include <cstddef>
#include <cstdint>

#include "base/fork.hpp"
#include "device/counters.hpp"
#include "device/port.hpp"
#include "instance/progress.hpp"

/// The health of this process's endpoints: a thread that watches engine threads, follows faults from outside, takes requests from endpoints that
/// go away, and calls whoever wants to know. It runs where there is an engine thread, or faults are allowed, and sleeps while engine threads do.
namespace octavo::instance {

inline constexpr std::uint32_t kHangTimeoutMs = 1000;

/// What health needs to know of an instance.
struct HealthConfig {
    unsigned endpoint = 0;
    std::uint32_t hang_timeout_ms = kHangTimeoutMs;  ///< of the endpoint: that of its last instance counts
    bool allows_faults = false;                      ///< or OCTAVO_FAULTS=1 in the environment, for all endpoints
};

/// An instance's part in the health of its endpoint. Made and ended by the instance's thread; both may wait while a request is rescued.
class Member {
public:
    /// The port and the counters outlive it. May throw std::bad_alloc.
    Member(device::Port& port, device::Counters::Work& counters, const HealthConfig& config);
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    ~Member();

    /// In a child after fork(), and with other counters.
    void renew(device::Counters::Work& counters);
    /// The instance has an engine thread from now on.
    void watch_engine() noexcept;

private:
    friend struct Health;

    device::Port& port_;
    device::Counters::Work* counters_;
    const HealthConfig config_;
    Member *before_ = nullptr, *next_ = nullptr;
    // the health thread's
    Progress progress_;
    std::uint32_t next_slot_ = 0;  ///< to look at for a rescue
};

/// Endpoints with instances, by number: octavo_endpoint_count() and octavo_endpoint_get().
std::size_t count_endpoints() noexcept;
[[nodiscard]] octavo_status get_endpoint(std::size_t index, octavo_endpoint& endpoint) noexcept;

}  // namespace octavo::instance
