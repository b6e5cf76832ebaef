#include "device/engine.hpp"

#include <pthread.h>
#include <sched.h>

#include <mutex>
#include <new>

namespace octavo::device {

std::unique_ptr<Engine> Engine::start(Executor& executor, Port& port, Counters::Work& counters, Cores cores) noexcept {
    std::unique_ptr<Engine> engine{new (std::nothrow) Engine{executor, port, counters, cores}};
    if (engine == nullptr || !engine->thread_.start("octavo-engine", thread_main, engine.get())) return nullptr;
    return engine;
}

Engine::~Engine() {
    stop_.store(true, std::memory_order_release);
    parking_.wake();
    thread_.join();
}

void Engine::thread_main(void* engine) noexcept {
    auto& self = *static_cast<Engine*>(engine);
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

void Engine::loop() noexcept {
    while (!stop_.load(std::memory_order_acquire)) {
        fork::step_aside();
        std::size_t done = 0;
        {
            const std::lock_guard lock{running_};
            done = executor_.round(counters_);
        }
        if (done > 0) continue;
        const auto ticket = parking_.announce();
        if (port_.requests.empty() && !stop_.load(std::memory_order_acquire))
            parking_.sleep(ticket, Parking::kForEver);
        else
            parking_.withdraw();
    }
}

}  // namespace octavo::device
