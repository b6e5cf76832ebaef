#pragma once

namespace octavo::device {

/// Calls function(argument), which must not throw, on the stack that ends at `top` (aligned to 16 bytes), and returns when it does. Costs a
/// few nanoseconds. Where no lane row exists (other CPUs than x86-64) it is an ordinary call.
void call_on_stack(void* top, void (*function)(void*), void* argument) noexcept;

}  // namespace octavo::device
