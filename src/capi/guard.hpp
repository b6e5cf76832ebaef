#pragma once

#include <octavo/octavo.h>

#include <cstddef>
#include <new>
#include <utility>

#include "base/error.hpp"

/// What every C function begins with.
namespace octavo::capi {

/// No exception passes the C edge: what start-up and registration may throw becomes a status.
template <typename Body>
octavo_status guarded(Body&& body) noexcept try {
    return std::forward<Body>(body)();
} catch (const std::bad_alloc&) {
    return fail(OCTAVO_ERR_NO_MEMORY, "memory ran out");
} catch (...) {
    return fail(OCTAVO_ERR_INTERNAL, "an exception reached the C interface");
}

inline octavo_status null_argument(const char* name) noexcept {
    return fail(OCTAVO_ERR_NULL_ARGUMENT, "%s: null", name);
}

/// OCTAVO_OK where the caller's structure is the one that this library knows.
template <typename Structure>
octavo_status check_size(const char* name, const Structure& given) noexcept {
    if (given.size == sizeof given) return OCTAVO_OK;
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "%s.size: %zu; set it to sizeof, which is %zu here", name, given.size,
                sizeof given);
}

}  // namespace octavo::capi
