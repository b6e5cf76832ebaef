#pragma once

#include <cstddef>

/// Which sanitizer the build has, and what it must be told about memory that is used as a stack. Without sanitizers all of it is nothing.
#if defined(__SANITIZE_ADDRESS__)
#define OCTAVO_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define OCTAVO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OCTAVO_ASAN 1
#elif __has_feature(thread_sanitizer)
#define OCTAVO_TSAN 1
#endif
#endif

#if defined(OCTAVO_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

namespace octavo::sanitizer {

#if defined(OCTAVO_ASAN)

/// Memory that the C library does not know, be it a stack that is not run on at the moment, may hold the only pointer to something.
inline void mapped(const void* bottom, std::size_t size) noexcept { __lsan_register_root_region(bottom, size); }
inline void unmapping(const void* bottom, std::size_t size) noexcept {
    __lsan_unregister_root_region(bottom, size);
    __asan_unpoison_memory_region(bottom, size);  // whatever the kernel maps here next is not poisoned
}

#else

inline void mapped(const void*, std::size_t) noexcept {}
inline void unmapping(const void*, std::size_t) noexcept {}

#endif

}  // namespace octavo::sanitizer
