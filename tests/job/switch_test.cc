#include "job/switch.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

// The bare switch, our own and Boost's.

namespace {

using octavo::job::Context;
using octavo::job::prepare;
using octavo::job::switch_to;

struct Pair {
    Context main, other;
    int sum = 0;
    volatile std::uintptr_t frame = 0;
    alignas(64) std::array<char, 65536> stack;
};

void add(void* argument) {
    auto& pair = *static_cast<Pair*>(argument);
    pair.frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    for (int value = 1;; value = switch_to(pair.other, pair.main, pair.sum)) pair.sum += value;
}

TEST(JobSwitch, CarriesValuesBothWays) {
    Pair pair;
    prepare(pair.other, pair.stack.data() + pair.stack.size(), pair.stack.size(), add, &pair);
    EXPECT_EQ(switch_to(pair.main, pair.other, 0), 1);
    for (int i = 2, sum = 1; i < 1000; ++i) EXPECT_EQ(switch_to(pair.main, pair.other, i), sum += i);
    EXPECT_EQ(pair.frame % 16, 0U);
}

/// Spoils every register that belongs to the caller, over and over.
void spoil(void* argument) {
    auto& pair = *static_cast<Pair*>(argument);
    while (true) {
        std::uint64_t a = 0x5555, b = a, c = a, d = a, e = a, f = a;
        for (int i = 0; i < 8; ++i) {
            asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f)::"memory");
            switch_to(pair.other, pair.main, static_cast<int>(a ^ b ^ c ^ d ^ e ^ f));
        }
    }
}

TEST(JobSwitch, KeepsCalleeSavedRegisters) {
    Pair pair;
    prepare(pair.other, pair.stack.data() + pair.stack.size(), pair.stack.size(), spoil, &pair);
    std::uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
    for (int i = 0; i < 100; ++i) {
        asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f)::"memory");
        switch_to(pair.main, pair.other, 0);
        asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f)::"memory");
        EXPECT_EQ(a + b + c + d + e + f, 21U);
    }
}

}  // namespace
