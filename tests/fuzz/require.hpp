#pragma once

#include <octavo/octavo.h>

#include <cstdio>
#include <cstdlib>

namespace fuzz {

/// Ends the process with `what`, which is a finding, where the condition does not hold.
inline void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "%s (last error: %s)\n", what, octavo_error_text());
    std::abort();
}

}  // namespace fuzz
