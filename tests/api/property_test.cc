#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <thread>

#include "property_model.hpp"
#include "sanitizers.hpp"

/// Random interleavings of everything that octavo.h offers against a model, by several threads, with and without fork().
///
///     OCTAVO_PROPERTY_OPS=5000000 OCTAVO_PROPERTY_SEED=7 api_property_test
///
/// ThreadSanitizer supports no threads in the child of a process with threads: the variants with fork() are off under it. Under
/// AddressSanitizer a fork waits while an engine thread ends: see support/fork_asan.cc.

namespace api_test::model {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

/// A counter that children count on.
std::atomic<std::uint64_t>* shared_counter() {
    void* memory =
        mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MODEL_CHECK(memory != MAP_FAILED);
    return new (memory) std::atomic<std::uint64_t>{0};
}

void run(const char* name, unsigned num_threads, std::uint64_t steps, bool forks) {
    const auto seed = from_environment("OCTAVO_PROPERTY_SEED", 1);
    current_seed = seed;
    Shared shared{{}, shared_counter(), {}, std::barrier<>{static_cast<std::ptrdiff_t>(num_threads)}};
    const auto start = std::chrono::steady_clock::now();
    const Options options{(steps + num_threads - 1) / num_threads, forks, forks && kUnderAsan};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < num_threads; ++i)
        threads.emplace_back([&, i] { Worker{shared, seed * 1000 + i, options}.run(); });
    for (auto& thread : threads) thread.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const auto operations = shared.operations->load();
    std::printf("property: %s: %llu operations in %.1f s, seed %llu\n", name,
                static_cast<unsigned long long>(operations), took.count(), static_cast<unsigned long long>(seed));
    EXPECT_GE(operations, steps);
    munmap(shared.operations, sizeof *shared.operations);
}

std::uint64_t wanted() { return from_environment("OCTAVO_PROPERTY_OPS", 1'000'000); }

TEST(Property, SeveralThreads) { run("several threads", 3, wanted(), false); }

TEST(Property, OneThreadWithFork) {
    if (kUnderTsan) GTEST_SKIP() << "threads in a forked child are not supported under tsan";
    run("one thread with fork", 1, wanted() / 10, true);
}

TEST(Property, SeveralThreadsWithFork) {
    if (kUnderTsan) GTEST_SKIP() << "threads in a forked child are not supported under tsan";
    run("several threads with fork", 3, wanted() / 10, true);
}

}  // namespace
}  // namespace api_test::model
