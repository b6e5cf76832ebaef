#include "base/handles.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace octavo {
namespace {

struct Counted {
    explicit Counted(int& alive) : count(alive) { ++count; }
    ~Counted() { --count; }
    int& count;
};

TEST(Handles, ADestroyedNumberIsRecognisedAlsoWhenItsPlaceIsUsedAgain) {
    Handles<Counted> handles;
    int alive = 0;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto id = handles.add(std::make_unique<Counted>(alive));
        ASSERT_NE(id, 0U);
        EXPECT_TRUE(seen.insert(id).second) << "a number came back";
        EXPECT_NE(handles.look_up(id), nullptr);
        EXPECT_TRUE(handles.destroy(id));
        EXPECT_FALSE(handles.destroy(id));
    }
    for (const auto id : seen) {
        EXPECT_EQ(handles.look_up(id), nullptr);
        EXPECT_EQ(handles.acquire(id), nullptr);
    }
    EXPECT_EQ(alive, 0);
}

TEST(Handles, NumbersThatNeverWereAreNull) {
    Handles<Counted> handles;
    int alive = 0;
    const auto id = handles.add(std::make_unique<Counted>(alive));
    const std::vector<std::uint64_t> none = {0, id + 1, id | 1ULL << 63, id | 1ULL << 40, UINT64_MAX, UINT64_MAX >> 1};
    for (const auto bad : none) EXPECT_EQ(handles.acquire(bad), nullptr) << bad;
    EXPECT_TRUE(handles.destroy(id));
    EXPECT_EQ(handles.acquire(id | 1ULL << 63), nullptr) << "a destroyed place matches no number";
}

TEST(Handles, TheLastReferenceDeletesTheObject) {
    Handles<Counted> handles;
    int alive = 0;
    const auto id = handles.add(std::make_unique<Counted>(alive));
    ASSERT_NE(handles.acquire(id), nullptr);
    EXPECT_TRUE(handles.destroy(id));
    EXPECT_EQ(handles.acquire(id), nullptr);
    EXPECT_EQ(alive, 1);
    handles.release(id);
    EXPECT_EQ(alive, 0);
}

TEST(Handles, ThreadsMayAcquireWhileAnotherDestroys) {
    struct Guarded {
        ~Guarded() { value = -1; }
        int value = 7;
    };
    Handles<Guarded> handles;
    std::atomic<std::uint64_t> current{handles.add(std::make_unique<Guarded>())};
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            while (!stop) {
                const auto id = current.load();
                if (auto* object = handles.acquire(id)) {
                    ASSERT_EQ(object->value, 7);
                    handles.release(id);
                }
            }
        });
    for (int i = 0; i < 20'000; ++i) {
        const auto old = current.exchange(handles.add(std::make_unique<Guarded>()));
        ASSERT_TRUE(handles.destroy(old));
    }
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_TRUE(handles.destroy(current));
}

}  // namespace
}  // namespace octavo
