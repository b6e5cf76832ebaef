#include "base/stack.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "base/sanitizer.hpp"

namespace octavo {
namespace {

constexpr std::size_t kHugePageSize = std::size_t{2} * 1024 * 1024;

}  // namespace

std::size_t Stack::page_size() noexcept { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

Stack Stack::map(std::size_t size, std::size_t guard_size) noexcept {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    // All of it inaccessible first, so that there is no moment without a guard.
    void* whole = mmap(nullptr, guard_size + size, PROT_NONE, kFlags, -1, 0);
    if (whole == MAP_FAILED) return {};
    void* bottom = static_cast<char*>(whole) + guard_size;
    if (mprotect(bottom, size, PROT_READ | PROT_WRITE) != 0) {
        munmap(whole, guard_size + size);
        return {};
    }
    // A huge page would commit all of a stack at its first touch.
    if (size >= kHugePageSize) madvise(bottom, size, MADV_NOHUGEPAGE);
    sanitizer::mapped(bottom, size);
    return {bottom, size, guard_size};
}

Stack::~Stack() {
    if (bottom_ == nullptr) return;
    sanitizer::unmapping(bottom_, size_);
    munmap(static_cast<char*>(bottom_) - guard_size_, guard_size_ + size_);
}

bool Stack::guards(const void* address) const noexcept {
    const auto* place = static_cast<const char*>(address);
    const auto* bottom = static_cast<const char*>(bottom_);
    return bottom != nullptr && place < bottom && place >= bottom - guard_size_;
}

void Stack::give_back() noexcept { madvise(bottom_, size_, MADV_DONTNEED); }

}  // namespace octavo
