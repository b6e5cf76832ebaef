#pragma once

#include <atomic>

#include "octavo/octavo.h"

/// Stands between the provider and liboctavo.so, because a program's own symbols come first: counts what is offloaded, and answers
/// in the library's stead where a test wants to see what the provider does then.
namespace octavo::test::shim {

extern std::atomic<int> executed, submitted, cancelled;
/// How many submissions are to be answered with OCTAVO_RETRY, from now on.
extern std::atomic<int> retries;
/// What every octavo_execute() and octavo_submit() answers, unless OCTAVO_OK.
extern std::atomic<int> failure;

inline int operations() { return executed + submitted; }

}  // namespace octavo::test::shim
