#include "device/scratch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <thread>

#include "base/sanitizer.hpp"

namespace octavo::device {
namespace {

#if defined(OCTAVO_ASAN) || defined(OCTAVO_TSAN)
constexpr char kMessage[] = "";  // the sanitizer has the word
#else
constexpr char kMessage[] = "octavo: a lane row has overflowed its stack of 262144 bytes; this is an error in Octavo";
#endif

/// Frames of `kFrame` bytes each, `depth` times, of which the lowest byte alone is touched: a guard that is too small is stepped over.
template <std::size_t kFrame>
[[gnu::noinline]] std::size_t descend(std::size_t depth) {
    volatile char frame[kFrame];
    frame[0] = static_cast<char>(depth);
    return depth == 0 ? 0 : descend<kFrame>(depth - 1) + static_cast<std::size_t>(frame[0] != 0);
}

template <std::size_t kFrame>
void overflow() {
    const Scratch scratch;
    scratch.run_on_stack(
        [](void* argument) { *static_cast<std::size_t*>(argument) = descend<kFrame>((std::size_t{4} << 20) / kFrame); },
        std::make_unique<std::size_t>().get());
}

TEST(Scratch, RunsOnAStackOfItsOwnAndComesBack) {
    const Scratch scratch;
    std::uintptr_t there = 0;
    scratch.run_on_stack(
        [](void* argument) {
            volatile char frame[128 * 1024];
            frame[0] = 1;
            *static_cast<std::uintptr_t*>(argument) = reinterpret_cast<std::uintptr_t>(&frame[0]);
        },
        &there);
    const volatile char here = 0;
    const auto far = reinterpret_cast<std::uintptr_t>(&here) - there;
    EXPECT_GT(std::min(far, 0 - far), 256U * 1024);
}

TEST(ScratchDeath, AnOverflowSaysSo) {
    EXPECT_DEATH(overflow<1024>(), kMessage);
    EXPECT_DEATH(overflow<std::size_t{100} * 1024>(), kMessage) << "frames of the size that lane rows have";
    EXPECT_DEATH(std::thread(overflow<1024>).join(), kMessage);
}

}  // namespace
}  // namespace octavo::device
