#include "base/zero_pages.hpp"

#include <sys/mman.h>

#include "base/sanitizer.hpp"

namespace octavo {

void* map_zeros(std::size_t len) noexcept {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const memory = mmap(nullptr, len, PROT_READ | PROT_WRITE, kFlags, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    madvise(memory, len, MADV_NOHUGEPAGE);  // which would hand out two MiB at the first touch
    sanitizer::mapped(memory, len);         // it may hold the only pointers to what is owned
    return memory;
}

void unmap_zeros(void* memory, std::size_t len) noexcept {
    if (memory == nullptr) return;
    sanitizer::unmapping(memory, len);
    munmap(memory, len);
}

}  // namespace octavo
