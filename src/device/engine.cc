#include "device/engine.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <mutex>
#include <new>

namespace octavo::device {
namespace {

constexpr std::uint64_t kHeldNs = 500'000;  // between two looks at requests that an injected fault keeps back

}  // namespace

std::unique_ptr<Engine> Engine::start(Executor& executor, Port& port, Counters::Work& counters, Cores cores) noexcept {
    std::unique_ptr<Engine> engine{new (std::nothrow) Engine{executor, port, counters, cores}};
    if (engine == nullptr || !engine->thread_.start("octavo-engine", thread_main, engine.get())) return nullptr;
    return engine;
}

Engine::~Engine() {
    stop_.store(true, std::memory_order_release);
    port_.engine.wake();
    thread_.join();
}

void Engine::thread_main(void* engine) noexcept {
    auto& self = *static_cast<Engine*>(engine);
    self.port_.engine_thread.store(::gettid(), std::memory_order_relaxed);
    self.settle_on_cores();
    self.loop();
}

void Engine::settle_on_cores() const noexcept {
    if (cores_.any()) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int core = cores_.first; core <= cores_.last && core < CPU_SETSIZE; ++core) CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

std::size_t Engine::round() noexcept {
    const std::lock_guard lock{running_};
    const auto beats = port_.beats.load(std::memory_order_relaxed);
    port_.beats.store(beats + 1, std::memory_order_release);
    const auto done = executor_.round(counters_, &stop_);
    port_.beats.store(beats + 2, std::memory_order_relaxed);
    return done;
}

void Engine::loop() noexcept {
    while (!stop_.load(std::memory_order_acquire)) {
        fork::step_aside();
        if (round() > 0) {
            if (executor_.is_away()) sched_yield();  // to whoever waits for the one request that is done
            continue;
        }
        const auto ticket = port_.engine.announce();
        if (port_.requests.empty() && !stop_.load(std::memory_order_acquire))
            port_.engine.sleep(ticket, executor_.holds() ? kHeldNs : Parking::kForEver);
        else
            port_.engine.withdraw();
        health_parking.wake();
    }
}

}  // namespace octavo::device
