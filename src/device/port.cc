#include "device/port.hpp"

#include <memory>
#include <new>

#include "base/zero_pages.hpp"

namespace octavo::device {

Slots::Slots(std::uint32_t count) : count_(count), slots_(static_cast<Slot*>(map_zeros(count * sizeof(Slot)))) {
    if (slots_ == nullptr) throw std::bad_alloc();
}

Slots::~Slots() {
    std::destroy_n(slots_, count_);
    unmap_zeros(slots_, count_ * sizeof(Slot));
}

}  // namespace octavo::device
