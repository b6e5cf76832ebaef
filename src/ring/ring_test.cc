#include "ring/ring.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace octavo::ring {
namespace {

TEST(Ring, GivesBackInOrderWhatWasPushedAcrossManyWraps) {
    OwnedRing ring{4};
    std::uint32_t next_in = 0, next_out = 0, slot = 99;
    EXPECT_EQ(ring.pop(slot), Pop::empty);
    for (int round = 0; round < 1000; ++round) {
        const int count = 1 + round % 4;
        for (int i = 0; i < count; ++i) ring.push(next_in++ % 4);
        EXPECT_FALSE(ring.empty());
        for (int i = 0; i < count; ++i) {
            ASSERT_EQ(ring.pop(slot), Pop::item);
            EXPECT_EQ(slot, next_out++ % 4);
        }
        EXPECT_TRUE(ring.empty());
    }
}

TEST(Ring, CountersMayRunOver) {
    Ring::Header header;
    std::atomic<std::uint32_t> entries[2];
    header.tail = header.head = UINT32_MAX;
    Ring ring{&header, entries, 2};
    std::uint32_t slot = 99;
    ring.push(1);
    ring.push(0);
    ASSERT_EQ(ring.pop(slot), Pop::item);
    EXPECT_EQ(slot, 1U);
    ASSERT_EQ(ring.pop(slot), Pop::item);
    EXPECT_EQ(slot, 0U);
    EXPECT_EQ(ring.pop(slot), Pop::empty);
}

TEST(Ring, AProducerThatLiesIsNotBelieved) {
    Ring::Header header;
    std::atomic<std::uint32_t> entries[4] = {};
    Ring ring{&header, entries, 4};
    std::uint32_t slot = 99;
    header.tail = 5;  // more than the ring holds
    EXPECT_EQ(ring.pop(slot), Pop::lost);
    header.tail = 1;
    entries[0] = 4;  // no such slot
    EXPECT_EQ(ring.pop(slot), Pop::lost);
    EXPECT_EQ(slot, 4U);
    EXPECT_EQ(header.head.load(), 0U) << "a lost ring is left as it is";
}

TEST(Ring, WhatWasWrittenBeforeAPushIsVisibleAfterThePop) {
    constexpr std::uint32_t kSlots = 64, kItems = 200'000;
    OwnedRing there{kSlots}, back{kSlots};
    std::uint64_t payload[kSlots] = {};
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) back.push(slot);
    std::thread consumer{[&] {
        std::uint32_t slot = 0;
        for (std::uint64_t seen = 0; seen < kItems;) {
            if (there.pop(slot) != Pop::item) {
                std::this_thread::yield();
                continue;
            }
            ASSERT_EQ(payload[slot], seen++);
            back.push(slot);
        }
    }};
    std::uint32_t slot = 0;
    for (std::uint64_t sent = 0; sent < kItems;) {
        if (back.pop(slot) != Pop::item) {
            std::this_thread::yield();
            continue;
        }
        payload[slot] = sent++;
        there.push(slot);
    }
    consumer.join();
}

}  // namespace
}  // namespace octavo::ring
