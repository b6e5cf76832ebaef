#pragma once

#include <cstddef>

namespace octavo::job::overflow {

/// Answers the size of the stack whose guard holds `address`, where that is the running job's; else 0. Async-signal-safe.
using Overflowed = std::size_t(const void* address) noexcept;

/// Lets the calling thread survive an overflow for long enough to say so: an alternate signal stack where it has none and, once in the
/// process, a handler for SIGSEGV where there is none. A fault that is no overflow ends the process as without the handler.
/// Cannot fail: what the system refuses costs the message, not the guard.
void watch_thread(Overflowed* overflowed) noexcept;
/// Takes the alternate stack back, where the thread still has it.
void unwatch_thread() noexcept;

}  // namespace octavo::job::overflow
