#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "base/wipe.hpp"

namespace octavo::cli {

/// Memory for a lane form or a row's scratch, aligned as they want it, wiped at the end.
class FormMemory {
public:
    explicit FormMemory(std::size_t size)
        : size_((size + kAlignment - 1) / kAlignment * kAlignment), data_(std::aligned_alloc(kAlignment, size_)) {
        if (data_ == nullptr) throw std::bad_alloc();
    }
    FormMemory(const FormMemory&) = delete;
    FormMemory& operator=(const FormMemory&) = delete;
    ~FormMemory() {
        wipe(data_, size_);
        std::free(data_);
    }
    void* data() const noexcept { return data_; }

private:
    static constexpr std::size_t kAlignment = 64;
    std::size_t size_;
    void* data_;
};

}  // namespace octavo::cli
