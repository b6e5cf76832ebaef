#pragma once

#include <cstddef>

#include "base/sanitizer.hpp"

#if defined(OCTAVO_ASAN)
#include <sanitizer/common_interface_defs.h>
#elif defined(OCTAVO_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

/// What the sanitizers must be told about stacks that change. Without sanitizers all of it is nothing.
namespace octavo::job::sanitizer {

#if defined(OCTAVO_ASAN)

/// One job's side of its switches. `bottom` and `size` are the stack's.
class Fiber {
public:
    /// On the outer stack, around the switch into the job.
    void before_enter(const void* bottom, std::size_t size) noexcept {
        __sanitizer_start_switch_fiber(&outer_fake_, bottom, size);
    }
    void after_enter() noexcept { __sanitizer_finish_switch_fiber(outer_fake_, nullptr, nullptr); }
    /// On the job's stack, around the switch out of it; `begin` instead of `after_leave` when the stack is new.
    void before_leave() noexcept { __sanitizer_start_switch_fiber(&fake_, outer_bottom_, outer_size_); }
    void after_leave() noexcept { __sanitizer_finish_switch_fiber(fake_, &outer_bottom_, &outer_size_); }
    void begin() noexcept { __sanitizer_finish_switch_fiber(nullptr, &outer_bottom_, &outer_size_); }
    /// The frames on the stack will never be returned to.
    void forget(const void* bottom, std::size_t size) noexcept { __asan_unpoison_memory_region(bottom, size); }

private:
    void* outer_fake_ = nullptr;
    void* fake_ = nullptr;
    const void* outer_bottom_ = nullptr;
    std::size_t outer_size_ = 0;
};

#elif defined(OCTAVO_TSAN)

class Fiber {
public:
    void before_enter(const void*, std::size_t) noexcept {
        if (self_ == nullptr) self_ = __tsan_create_fiber(0);
        outer_ = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(self_, 0);
    }
    void after_enter() noexcept {}
    void before_leave() noexcept { __tsan_switch_to_fiber(outer_, 0); }
    void after_leave() noexcept {}
    void begin() noexcept {}
    void forget(const void*, std::size_t) noexcept {
        if (self_ != nullptr) __tsan_destroy_fiber(self_);
        self_ = nullptr;
    }

private:
    void* self_ = nullptr;
    void* outer_ = nullptr;
};

#else

class Fiber {
public:
    void before_enter(const void*, std::size_t) noexcept {}
    void after_enter() noexcept {}
    void before_leave() noexcept {}
    void after_leave() noexcept {}
    void begin() noexcept {}
    void forget(const void*, std::size_t) noexcept {}
};

#endif

}  // namespace octavo::job::sanitizer
