#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/cpu.hpp"
#include "base/ct.hpp"
#include "base/error.hpp"
#include "base/folder.hpp"
#include "base/fork.hpp"
#include "base/parking.hpp"
#include "base/text.hpp"
#include "base/wipe.hpp"
#include "base/zero_pages.hpp"

namespace octavo {
namespace {

TEST(Folder, WhatIsInIt) {
    char folder[] = "/tmp/octavo-base-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    EXPECT_TRUE(list_folder(folder).names.empty());
    for (const char* name : {"a", ".b"}) ASSERT_EQ(::mkdir(path_in(folder, name).c_str(), 0700), 0);
    auto listing = list_folder(std::string{folder} + "/");
    std::sort(listing.names.begin(), listing.names.end());
    EXPECT_EQ(listing.error, 0);
    EXPECT_EQ(listing.names, (std::vector<std::string>{".b", "a"}));
    for (const auto& name : listing.names) ::rmdir(path_in(folder, name).c_str());
    ::rmdir(folder);
    EXPECT_EQ(list_folder(folder).error, ENOENT);
    EXPECT_EQ(path_in("/dev/shm/", "x"), "/dev/shm/x");
}

TEST(ZeroPages, AreZeroAndWritable) {
    constexpr std::size_t kLen = 100'000;
    auto* const bytes = static_cast<std::uint8_t*>(map_zeros(kLen));
    ASSERT_NE(bytes, nullptr);
    EXPECT_TRUE(std::all_of(bytes, bytes + kLen, [](auto byte) { return byte == 0; }));
    bytes[kLen - 1] = 1;
    unmap_zeros(bytes, kLen);
    unmap_zeros(nullptr, kLen);
    EXPECT_EQ(map_zeros(SIZE_MAX / 2), nullptr);
}

TEST(Bytes, BitLengthIgnoresLeadingZeros) {
    const std::array<std::uint8_t, 4> number{0, 0, 1, 255};
    EXPECT_EQ(bit_length(number), 9U);
    EXPECT_EQ(without_leading_zeros(number).size(), 2U);
    EXPECT_EQ(bit_length(Bytes{number}.first(2)), 0U);
    EXPECT_EQ(bit_length({}), 0U);
}

TEST(ConstantTime, LessComparesBigEndianNumbers) {
    const std::array<std::uint8_t, 3> low{1, 2, 3}, middle{1, 2, 4}, high{2, 0, 0};
    EXPECT_TRUE(ct::less(low, middle));
    EXPECT_TRUE(ct::less(middle, high));
    EXPECT_FALSE(ct::less(high, middle));
    EXPECT_FALSE(ct::less(low, low));
}

TEST(ConstantTime, LessIsTheOrderOfBytes) {
    std::mt19937 random{1};
    for (int round = 0; round < 20000; ++round) {
        std::vector<std::uint8_t> a(round % 41), b;
        for (auto& byte : a) byte = static_cast<std::uint8_t>(random() % 3 - 1);  // runs of 0 and 255 make long borrows
        b = a;
        for (auto change = random() % 3; change > 0 && !b.empty(); --change)
            b[random() % b.size()] = static_cast<std::uint8_t>(random());
        EXPECT_EQ(ct::less(a, b), a < b);
    }
}

TEST(Text, ItemsAreTrimmedAndEmptyOnesDropped) {
    std::vector<std::string_view> items;
    for_each_item(" a,,b c , d,", ',', [&](std::string_view item) { items.push_back(item); });
    EXPECT_EQ(items, (std::vector<std::string_view>{"a", "b c", "d"}));
}

TEST(Cpu, FeaturesCanBeTakenAwayAndGivenBack) {
    const auto before = cpu::available();
    cpu::disable(cpu::avx512ifma | cpu::avx2);
    EXPECT_FALSE(cpu::has(cpu::available(), cpu::avx512ifma));
    EXPECT_FALSE(cpu::has(cpu::available(), cpu::avx2));
    cpu::disable(cpu::none);
    EXPECT_EQ(cpu::available(), before);
}

TEST(Wipe, HappensWhenTheScopeEnds) {
    std::array<std::uint8_t, 16> secret;
    secret.fill(7);
    {
        const WipeOnExit wipe_secret{secret};
        EXPECT_EQ(secret[3], 7);
    }
    EXPECT_EQ(secret, (std::array<std::uint8_t, 16>{}));
}

TEST(Error, TextIsPerThreadAndCut) {
    EXPECT_EQ(fail(OCTAVO_ERR_KEY_P, "%s %d", "p", 3), OCTAVO_ERR_KEY_P);
    EXPECT_STREQ(last_error_text(), "p 3");
    std::thread{[] { EXPECT_STREQ(last_error_text(), ""); }}.join();
    EXPECT_EQ(fail(OCTAVO_ERR_SYSTEM, "%s", std::string(1000, 'x').c_str()), OCTAVO_ERR_SYSTEM);
    EXPECT_EQ(std::string{last_error_text()}, std::string(255, 'x'));
}

TEST(Parking, ASleeperIsWokenAndNoWakeUpIsLost) {
    Parking parking;
    std::atomic<int> work{0};
    constexpr int kItems = 20'000;
    std::thread worker{[&] {
        for (int done = 0; done < kItems;) {
            const auto ticket = parking.announce();
            if (work.load(std::memory_order_acquire) == done) {
                parking.sleep(ticket, Parking::kForEver);
                continue;
            }
            parking.withdraw();
            done = work.load(std::memory_order_acquire);
        }
    }};
    for (int i = 1; i <= kItems; ++i) {
        work.store(i, std::memory_order_release);
        parking.wake();
    }
    worker.join();
}

TEST(Parking, SleepEndsWithItsTimeout) {
    Parking parking;
    const auto start = now_ns();
    parking.sleep(parking.announce(), 1'000'000);
    EXPECT_GE(now_ns() - start, 1'000'000U);
}

TEST(Fork, GenerationCountsDepthAndMutexesAreFreeInTheChild) {
    fork::Mutex mutex{fork::Rank::table};
    std::atomic<bool> stop{false};
    std::thread holder{[&] {
        while (!stop) {
            fork::step_aside();
            mutex.lock();
            mutex.unlock();
        }
    }};
    const auto generation = fork::generation();
    for (int i = 0; i < 50; ++i) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::alarm(10);
            mutex.lock();  // would hang where the holder's lock had been copied
            mutex.unlock();
            const pid_t grandchild = ::fork();
            if (grandchild == 0) ::_exit(fork::generation() == generation + 2 ? 0 : 1);
            int status = 1;
            ::waitpid(grandchild, &status, 0);
            ::_exit(status == 0 && fork::generation() == generation + 1 ? 0 : 1);
        }
        int status = 1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(fork::generation(), generation);
    stop = true;
    holder.join();
}

}  // namespace
}  // namespace octavo
