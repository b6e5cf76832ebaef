#pragma once

#include "base/wipe.hpp"

namespace octavo::kernel::lanes {

/// Overwrites the stack below the caller, where the functions that it called have left secrets: spilled registers and temporaries. Called
/// from where they were called; none of them goes deeper.
[[gnu::noinline]] inline void clean_stack() noexcept {
    unsigned char below[12 * 1024];
    wipe(below, sizeof below);
}

}  // namespace octavo::kernel::lanes
