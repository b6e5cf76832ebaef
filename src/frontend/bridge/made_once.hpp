#pragma once

#include <atomic>

namespace octavo::bridge {

/// A value of the process, made at its first use: `none` until then, and where it could not be made. Without a lock: what a thread holds while
/// another forks is held for ever in the child, and so is the guard of a function-local static. Of threads that make it at the same time, the
/// first one's is everybody's; what another made is never used, and not freed.
template <class Value, Value none>
class MadeOnce {
public:
    template <class Make>
    Value get(Make&& make) noexcept {
        const Value present = value_.load(std::memory_order_acquire);
        if (present != none) return present;
        const Value made = make();
        Value expected = none;
        // Whoever finds it sees what it points to.
        return value_.compare_exchange_strong(expected, made, std::memory_order_acq_rel) ? made : expected;
    }

private:
    std::atomic<Value> value_{none};
};

}  // namespace octavo::bridge
