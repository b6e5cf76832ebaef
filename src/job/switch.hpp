#pragma once

#include <cstddef>

namespace octavo::job {

/// A stack that has been left: where to go on.
struct Context {
    void* place = nullptr;     // null: nowhere yet
    void* argument = nullptr;  // of a context that was prepared and not yet entered
    void (*entry)(void*) = nullptr;
};

/// Lets `context` begin with entry(argument), which must not return, on the stack that ends at `top` (16-byte aligned, `size` bytes).
void prepare(Context& context, void* top, std::size_t size, void (*entry)(void*), void* argument) noexcept;

/// Leaves the present stack, noting in `from` where to go on, for `to`. Returns when someone switches to `from`, with the `value` that
/// they give. Whatever must be in order over there is put in order before: then this can be the last call of a function, so that the
/// switch goes right into that function's caller. (A `ret` after a switch is mispredicted: the CPU's return stack is that of
/// another stack by then; 8 ns each.)
///
/// Callee-saved registers are kept. Floating-point control words are not: they are the thread's, as with OpenSSL's jobs.
/// Saving and loading them costs 8 ns, and 70 ns where a status bit differs: half of what a job may cost.
int switch_to(Context& from, const Context& to, int value) noexcept;

}  // namespace octavo::job
