#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <cstdint>

#include "secret.hpp"

/// What the checks of rows have in common. C's functions alone: the standard library is not built with MemorySanitizer.
namespace octavo::ct {

[[noreturn]] inline void fail(const char* what) {
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    exit(1);
}

inline void require(bool good, const char* what) {
    if (!good) fail(what);
}

/// Whether a job was possible is told to the caller.
template <typename Job>
void require_ok(Job* jobs, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        declassify(&jobs[i].ok, sizeof jobs[i].ok);
        require(jobs[i].ok, "a row refused good operands");
    }
}

/// Any numbers will do; xorshift is enough.
template <std::size_t N>
void fill(std::uint8_t (&bytes)[N]) {
    static std::uint64_t state = 0x9E3779B97F4A7C15;
    for (std::uint8_t& byte : bytes) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        byte = static_cast<std::uint8_t>(state >> 32);
    }
}

}  // namespace octavo::ct
