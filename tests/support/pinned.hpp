#pragma once

#include <gtest/gtest.h>
#include <sched.h>

namespace octavo::test {

/// How many cores the calling thread may run on.
inline int num_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    return CPU_COUNT(&set);
}

/// While one lives, its thread, and those that it starts, run on one core alone: the first of those that it had.
class Pinned {
public:
    Pinned() {
        EXPECT_EQ(sched_getaffinity(0, sizeof before_, &before_), 0);
        std::size_t first = 0;
        while (first + 1 < CPU_SETSIZE && !CPU_ISSET(first, &before_)) ++first;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    }
    ~Pinned() { EXPECT_EQ(sched_setaffinity(0, sizeof before_, &before_), 0); }
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

private:
    cpu_set_t before_{};
};

}  // namespace octavo::test
