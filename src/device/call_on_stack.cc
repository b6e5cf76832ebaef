#include "device/call_on_stack.hpp"

namespace octavo::device {

#if defined(__x86_64__)

// rbp, which is the callee's to keep, remembers the stack that is left: unwinders find their way by it.
asm(R"(
    .pushsection .text
    .p2align 4
    .type octavo_call_on_stack, @function
octavo_call_on_stack:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq %rdi, %rsp
    movq %rdx, %rdi
    call *%rsi
    movq %rbp, %rsp
    popq %rbp
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size octavo_call_on_stack, .-octavo_call_on_stack
    .popsection
)");

extern "C" [[gnu::visibility("hidden")]] void octavo_call_on_stack(void* top, void (*function)(void*),
                                                                   void* argument) noexcept;

void call_on_stack(void* top, void (*function)(void*), void* argument) noexcept {
    octavo_call_on_stack(top, function, argument);
}

#else

void call_on_stack(void*, void (*function)(void*), void* argument) noexcept { function(argument); }

#endif

}  // namespace octavo::device
