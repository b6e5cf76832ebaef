#pragma once

#include <cstdlib>
#include <memory>

#include "base/stack.hpp"

namespace octavo::device {

/// Memory for the lane rows, for one thread at a time: what RSA's ask for, and a stack. The curves' rows have frames of up to 100 KiB, and
/// may run where the caller's stack is small: OpenSSL's ASYNC_JOBs have 32 KiB, with the heap below.
class Scratch {
public:
    Scratch();  // std::bad_alloc
    void* data() const noexcept { return memory_.get(); }

    /// Calls function(argument), which must not throw, on the stack. An overflow ends the process, with a line that says so where nothing else
    /// handles SIGSEGV.
    void run_on_stack(void (*function)(void*), void* argument) const noexcept;

private:
    struct Free {
        void operator()(void* memory) const noexcept { std::free(memory); }
    };
    std::unique_ptr<void, Free> memory_;
    Stack stack_;
};

}  // namespace octavo::device
