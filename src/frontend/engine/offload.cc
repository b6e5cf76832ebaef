#include "frontend/engine/offload.hpp"

#include <atomic>

#include "frontend/bridge/bridge.hpp"
#include "frontend/engine/errors.hpp"

namespace octavo::engine {
namespace {

constexpr std::uint64_t kNotSet = UINT64_MAX;

std::atomic<bool> enabled{true};
std::atomic<std::uint64_t> hardware{kNotSet}, software{kNotSet};
// What the two amount to.
std::atomic<std::uint32_t> algorithms{kAlgorithmBits};

std::uint32_t bits_of(std::uint64_t bitmap) { return bitmap == kNotSet ? 0 : static_cast<std::uint32_t>(bitmap); }

void combine() {
    const auto hw = hardware.load(std::memory_order_relaxed), sw = software.load(std::memory_order_relaxed);
    const bool none = hw == kNotSet && sw == kNotSet;
    algorithms.store(none ? kAlgorithmBits : bits_of(hw) | bits_of(sw), std::memory_order_relaxed);
}

}  // namespace

bool is_enabled(Algorithm algorithm) noexcept {
    return enabled.load(std::memory_order_relaxed) &&
           (algorithms.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(algorithm)) != 0 &&
           octavo_calls_openssl() == 0;
}

bool is_final(octavo_status status, const char* where) noexcept {
    if (status == OCTAVO_ERR_DEVICE) return raise(Reason::device, where) == 0;
    return bridge::job_is_cancelled() && raise(Reason::job_cancelled, where) == 0;
}

void set_offload(bool on) noexcept { enabled.store(on, std::memory_order_relaxed); }

void set_bitmap(Bitmap which, std::uint32_t bits) noexcept {
    (which == Bitmap::hardware ? hardware : software).store(bits, std::memory_order_relaxed);
    combine();
}

void reset_offload() noexcept {
    set_offload(true);
    hardware.store(kNotSet, std::memory_order_relaxed);
    software.store(kNotSet, std::memory_order_relaxed);
    combine();
}

}  // namespace octavo::engine
