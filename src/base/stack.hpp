#pragma once

#include <cstddef>
#include <utility>

namespace octavo {

/// Memory for frames: a private mapping that is committed as it is touched, above an inaccessible area.
class Stack {
public:
    Stack() = default;
    Stack(Stack&& other) noexcept
        : bottom_(std::exchange(other.bottom_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          guard_size_(other.guard_size_) {}
    Stack& operator=(Stack&& other) noexcept {
        std::swap(bottom_, other.bottom_);
        std::swap(size_, other.size_);
        std::swap(guard_size_, other.guard_size_);
        return *this;
    }
    ~Stack();

    static constexpr std::size_t kGuardSize = std::size_t{64} * 1024;

    /// `size` bytes above `guard_size` inaccessible ones, both multiples of page_size(). A frame no larger than the guard cannot step over it,
    /// even where the compiler does not probe pages in order. Empty, with errno, where the system refuses.
    static Stack map(std::size_t size, std::size_t guard_size = kGuardSize) noexcept;
    static std::size_t page_size() noexcept;

    explicit operator bool() const noexcept { return bottom_ != nullptr; }
    const void* bottom() const noexcept { return bottom_; }
    void* top() const noexcept { return static_cast<char*>(bottom_) + size_; }
    std::size_t size() const noexcept { return size_; }
    /// True for an address in the inaccessible area. Async-signal-safe.
    bool guards(const void* address) const noexcept;
    /// Hands the memory back; the contents are gone, the mapping stays.
    void give_back() noexcept;

private:
    Stack(void* bottom, std::size_t size, std::size_t guard_size) noexcept
        : bottom_(bottom), size_(size), guard_size_(guard_size) {}

    void* bottom_ = nullptr;
    std::size_t size_ = 0, guard_size_ = 0;
};

}  // namespace octavo
