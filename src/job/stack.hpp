#pragma once

#include <cstddef>
#include <utility>

namespace octavo::job {

/// Memory for a job's frames: a private mapping that is committed as it is touched, above an inaccessible area.
class Stack {
public:
    Stack() = default;
    Stack(Stack&& other) noexcept
        : bottom_(std::exchange(other.bottom_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Stack& operator=(Stack&& other) noexcept {
        std::swap(bottom_, other.bottom_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Stack();

    /// `size` bytes, a multiple of page_size(). Empty, with errno, where the system refuses.
    static Stack map(std::size_t size) noexcept;
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
    Stack(void* bottom, std::size_t size) noexcept : bottom_(bottom), size_(size) {}

    void* bottom_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace octavo::job
