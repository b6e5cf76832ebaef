#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <optional>

namespace octavo::instance {

/// What an endpoint's health goes by at a moment.
struct Signs {
    bool is_killed = false;
    bool is_stuck = false;         ///< it has had requests for longer than the hang timeout, and answered none
    std::uint64_t restart_ns = 0;  ///< it shall restart, and take so long; 0: no
};

/// The states of one endpoint, one step at a time:
///     up -> restarting -> up           a restart, wanted or because it was stuck; it lasts until it is not stuck any more
///     up or restarting -> down -> up   killed, and no longer killed
/// Used by one thread at a time.
class EndpointHealth {
public:
    static constexpr std::uint64_t kRecoveryNs = 100'000'000;  ///< of a restart that nobody gave a time for

    octavo_endpoint_state state() const noexcept { return state_; }

    /// The event that comes of the signs at `now_ns`, if one does; state() is then the new one.
    std::optional<octavo_event> step(const Signs& signs, std::uint64_t now_ns) noexcept {
        if (signs.is_killed) {
            if (state_ == OCTAVO_ENDPOINT_DOWN) return std::nullopt;
            state_ = OCTAVO_ENDPOINT_DOWN;
            return OCTAVO_EVENT_DOWN;
        }
        if (signs.restart_ns > 0) until_ns_ = now_ns + signs.restart_ns;
        if (state_ == OCTAVO_ENDPOINT_UP && (signs.restart_ns > 0 || signs.is_stuck)) {
            if (signs.restart_ns == 0) until_ns_ = now_ns + kRecoveryNs;
            state_ = OCTAVO_ENDPOINT_RESTARTING;
            return OCTAVO_EVENT_RESTARTING;
        }
        const bool is_over = state_ == OCTAVO_ENDPOINT_DOWN || now_ns >= until_ns_;
        if (state_ == OCTAVO_ENDPOINT_UP || !is_over || signs.is_stuck) return std::nullopt;
        state_ = OCTAVO_ENDPOINT_UP;
        return OCTAVO_EVENT_RESTARTED;
    }

private:
    octavo_endpoint_state state_ = OCTAVO_ENDPOINT_UP;
    std::uint64_t until_ns_ = 0;
};

}  // namespace octavo::instance
