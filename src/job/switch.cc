#include "job/switch.hpp"

#include <boost/context/detail/fcontext.hpp>

namespace octavo::job {

// OCTAVO_JOB_BOOST takes Boost's switch where there is one of our own, for tests.
#if defined(__x86_64__) && !defined(OCTAVO_JOB_BOOST)

// System V ABI, 3.2.1: rbx, rbp and r12 to r15 belong to the caller. A saved frame, from its place up: r15 r14 r13 r12 rbx rbp, return
// address.
asm(R"(
    .pushsection .text
    .p2align 4
    .type octavo_job_switch, @function
octavo_job_switch:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    pushq %r12
    .cfi_adjust_cfa_offset 8
    pushq %r13
    .cfi_adjust_cfa_offset 8
    pushq %r14
    .cfi_adjust_cfa_offset 8
    pushq %r15
    .cfi_adjust_cfa_offset 8
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    .cfi_adjust_cfa_offset -8
    popq %r14
    .cfi_adjust_cfa_offset -8
    popq %r13
    .cfi_adjust_cfa_offset -8
    popq %r12
    .cfi_adjust_cfa_offset -8
    popq %rbx
    .cfi_adjust_cfa_offset -8
    popq %rbp
    .cfi_adjust_cfa_offset -8
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    movl %edx, %eax
    jmp *%rcx
    .cfi_endproc
    .size octavo_job_switch, .-octavo_job_switch

    .p2align 4
    .type octavo_job_begin, @function
octavo_job_begin:
    .cfi_startproc
    .cfi_undefined %rip
    movq %rbx, %rdi
    call *%r12
    ud2
    .cfi_endproc
    .size octavo_job_begin, .-octavo_job_begin
    .popsection
)");

extern "C" {
[[gnu::visibility("hidden")]] int octavo_job_switch(void** from, void* to, int value) noexcept;
[[gnu::visibility("hidden")]] void octavo_job_begin() noexcept;
}

void prepare(Context& context, void* top, std::size_t, void (*entry)(void*), void* argument) noexcept {
    // Seven words, and two so that the stack is aligned to 16 bytes where octavo_job_begin() makes its call.
    // Seven words, and two so that the stack is aligned to 16 bytes where octavo_job_begin() makes its call.
    auto** frame = static_cast<void**>(top) - 9;
    frame[0] = frame[1] = frame[2] = frame[5] = nullptr;
    frame[3] = reinterpret_cast<void*>(entry);             // r12
    frame[4] = argument;                                   // rbx
    frame[6] = reinterpret_cast<void*>(octavo_job_begin);  // where to
    context = {frame, argument, entry};
}

int switch_to(Context& from, const Context& to, int value) noexcept {
    return octavo_job_switch(&from.place, to.place, value);
}

#else

namespace {

using namespace boost::context::detail;

/// On the stack that is left, and so alive as long as that is not entered again.
struct Message {
    Context* from;
    const Context* to;
    int value;
};

const Message& arrive(transfer_t transfer) noexcept {
    const auto& message = *static_cast<const Message*>(transfer.data);
    message.from->place = transfer.fctx;
    return message;
}

void begin(transfer_t transfer) noexcept {
    const auto& context = *arrive(transfer).to;
    context.entry(context.argument);
}

}  // namespace

void prepare(Context& context, void* top, std::size_t size, void (*entry)(void*), void* argument) noexcept {
    context = {make_fcontext(top, size, begin), argument, entry};
}

int switch_to(Context& from, const Context& to, int value) noexcept {
    Message message{&from, &to, value};
    return arrive(jump_fcontext(to.place, &message)).value;
}

#endif

}  // namespace octavo::job
