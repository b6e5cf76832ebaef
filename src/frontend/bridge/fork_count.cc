#include "frontend/bridge/fork_count.hpp"

#include <pthread.h>

#include <atomic>

namespace octavo::bridge {
namespace {

std::atomic<unsigned> forks{0};

void in_child() { forks.fetch_add(1, std::memory_order_relaxed); }

[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, in_child);

}  // namespace

unsigned fork_count() noexcept { return forks.load(std::memory_order_relaxed); }

}  // namespace octavo::bridge
