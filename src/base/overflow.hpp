#pragma once

#include <cstddef>

namespace octavo::overflow {

/// A kind of stack with a guard.
struct Kind {
    const char* what;  ///< of a line "octavo: <what> of <size> bytes; <cure>"
    const char* cure;
    /// Answers the size of the stack whose guard holds `address`, where the calling thread runs on it; else 0. Async-signal-safe.
    std::size_t (*overflowed)(const void* address) noexcept;
};

/// Lets the calling thread survive an overflow of such a stack for long enough to say so, up to its end: an alternate signal stack where it
/// has none and, once in the process, a handler for SIGSEGV where there is none. A fault that is no overflow ends the process as
/// without the handler. `kind` lives as long as the process, which has two of them at most.
/// Cannot fail: what the system refuses costs the message, not the guard.
void watch_thread(const Kind& kind) noexcept;

}  // namespace octavo::overflow
