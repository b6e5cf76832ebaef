#pragma once

#include <atomic>
#include <cstddef>

#include "octavo/octavo.h"

/// Stands between the provider and liboctavo.so, because a program's own symbols come first: counts what is offloaded, and answers
/// in the library's stead where a test wants to see what the provider does then.
namespace octavo::test::shim {

extern std::atomic<int> executed, submitted, cancelled;
/// How many submissions are to be answered with OCTAVO_RETRY, from now on.
extern std::atomic<int> retries;
/// What every octavo_execute() and octavo_submit() answers, unless OCTAVO_OK.
extern std::atomic<int> failure;
/// What octavo_consult() answers: OCTAVO_OK to all, so that the provider's own way is what a test sees, or what the library says.
extern std::atomic<bool> takes_all;

/// From now on, submissions are kept, and nothing is computed until release(); then each is executed when its result is fetched.
void hold();
void release();
/// Of the submissions kept, oldest first: how many there are, and what wakes their waiters.
std::size_t num_held();
octavo_wakeup held_wakeup(std::size_t index);

inline int operations() { return executed + submitted; }

}  // namespace octavo::test::shim
