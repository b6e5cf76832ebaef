#pragma once

#include <cstddef>

namespace octavo {

/// `len` zero bytes in pages of their own, which the system hands out as they are written to: what is never used takes no memory. Null where it
/// refuses.
void* map_zeros(std::size_t len) noexcept;
/// Gives them back. Null is fine.
void unmap_zeros(void* memory, std::size_t len) noexcept;

}  // namespace octavo
