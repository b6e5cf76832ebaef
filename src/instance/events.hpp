#pragma once

#include <octavo/octavo.h>

#include <array>
#include <cstdint>

#include "device/endpoint.hpp"

/// Who wants to know of endpoints' events.
namespace octavo::instance {

struct Happening {
    std::uint32_t endpoint;
    octavo_event event;
};
/// At most one for each endpoint.
class Happenings {
public:
    void add(const Happening& one) noexcept { list_[count_++] = one; }
    const Happening* begin() const noexcept { return list_.data(); }
    const Happening* end() const noexcept { return list_.data() + count_; }

private:
    std::size_t count_ = 0;
    std::array<Happening, device::kMaxEndpoints> list_;
};

/// octavo_event_subscribe() and octavo_event_unsubscribe(). Any thread; the first may throw std::bad_alloc.
[[nodiscard]] octavo_status subscribe(octavo_event_callback* callback, void* argument, std::uint64_t& subscription);
[[nodiscard]] octavo_status unsubscribe(std::uint64_t subscription);

/// Calls all of them with each event.
void call_subscribers(const Happenings& happenings) noexcept;

}  // namespace octavo::instance
