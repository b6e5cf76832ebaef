#pragma once

#include <atomic>
#include <cstdint>

#include "octavo/octavo.h"

namespace octavo::bridge {

/// The Octavo key of a front end's key object, registered when an operation first wants it. Any number of threads may ask at once: whoever
/// comes second gives its own back; nobody waits, so that a fork at any moment finds nothing locked.
class RegisteredKey {
public:
    RegisteredKey() = default;
    ~RegisteredKey() { forget(); }
    RegisteredKey(const RegisteredKey&) = delete;
    RegisteredKey& operator=(const RegisteredKey&) = delete;

    /// Whether it was asked for already, be it that it was refused then.
    bool is_decided() const noexcept { return id_.load(std::memory_order_relaxed) != kNone; }

    /// The key; the first call makes it by `make(octavo_key&)`, which returns an octavo_status. False where that refused, then and ever
    /// after.
    template <class Make>
    bool get(octavo_key& handle, Make&& make) noexcept {
        auto id = id_.load(std::memory_order_acquire);
        if (id == kNone) {
            octavo_key mine{};
            if (make(mine) != OCTAVO_OK) mine = {kRefused};
            if (id_.compare_exchange_strong(id, mine.id, std::memory_order_acq_rel, std::memory_order_acquire))
                id = mine.id;
            else if (mine.id != kRefused)
                octavo_key_destroy(mine);
        }
        handle = {id};
        return id != kRefused;
    }

    /// The numbers are about to change: the next call of get() registers again.
    void forget() noexcept {
        const auto id = id_.exchange(kNone, std::memory_order_acq_rel);
        if (id != kNone && id != kRefused) octavo_key_destroy({id});
    }

private:
    static constexpr std::uint64_t kNone = 0;
    static constexpr std::uint64_t kRefused = UINT64_MAX;

    std::atomic<std::uint64_t> id_{kNone};
};

}  // namespace octavo::bridge
