#include "device/scratch.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/overflow.hpp"
#include "device/call_on_stack.hpp"
#include "kernel/modexp/modexp.hpp"
#include "kernel/rsa/rsa.hpp"

namespace octavo::device {
namespace {

constexpr std::size_t kStackSize = std::size_t{256} * 1024;
/// More than the largest frame of a lane row, with what the compilers' versions make of it.
constexpr std::size_t kStackGuard = std::size_t{256} * 1024;

/// The stack that the thread runs on, and whether the thread is watched.
thread_local const Stack* running = nullptr;
thread_local bool is_watched = false;

std::size_t overflowed(const void* address) noexcept {
    return running != nullptr && running->guards(address) ? running->size() : 0;
}
constexpr overflow::Kind kKind = {"a lane row has overflowed its stack",
                                  "this is an error in Octavo, and nothing was overwritten", overflowed};

}  // namespace

Scratch::Scratch() : stack_(Stack::map(kStackSize, kStackGuard)) {
    constexpr std::size_t kAlignment = 64;
    std::size_t len = kAlignment;
    for (const auto& row : kernel::rsa::rows()) len = std::max(len, row.scratch_len);
    for (const auto& row : kernel::modexp::rows()) len = std::max(len, row.scratch_len);
    memory_.reset(std::aligned_alloc(kAlignment, (len + kAlignment - 1) / kAlignment * kAlignment));
    if (memory_ == nullptr || !stack_) throw std::bad_alloc();
}

void Scratch::run_on_stack(void (*function)(void*), void* argument) const noexcept {
    if (!is_watched) overflow::watch_thread(kKind);
    is_watched = true;
    const auto* outer = std::exchange(running, &stack_);
    call_on_stack(stack_.top(), function, argument);
    running = outer;
}

}  // namespace octavo::device
