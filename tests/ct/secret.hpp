#pragma once

#include <sanitizer/msan_interface.h>

#include <cstddef>

/// Secrets are memory that MemorySanitizer takes for uninitialised: it reports each branch and each address that depends
/// on it, and follows what is computed from it.
namespace octavo::ct {

inline void secret(const void* data, std::size_t len) { __msan_poison(data, len); }

/// Ends the tracking; every call says why an observer may know the value.
inline void declassify(const void* data, std::size_t len) { __msan_unpoison(data, len); }

inline bool is_all_secret(const void* data, std::size_t len) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < len; ++i)
        if (__msan_test_shadow(bytes + i, 1) != 0) return false;
    return true;
}

inline bool is_public(const void* data, std::size_t len) { return __msan_test_shadow(data, len) == -1; }

}  // namespace octavo::ct
