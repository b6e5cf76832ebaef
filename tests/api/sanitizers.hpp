#pragma once

/// Under which sanitizer this is compiled: g++ says so by macros, clang by features.
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif

namespace api_test {

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
inline constexpr bool kUnderTsan = true;
#else
inline constexpr bool kUnderTsan = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
inline constexpr bool kUnderAsan = true;
#else
inline constexpr bool kUnderAsan = false;
#endif

}  // namespace api_test
