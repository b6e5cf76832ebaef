#include "device/engine.hpp"

#include <sched.h>
#include <signal.h>

#include <mutex>
#include <new>

namespace octavo::device {
namespace {

constexpr std::size_t kStackBytes = 512 * 1024;

/// The application's signals stay with its own threads.
class BlockSignals {
public:
    BlockSignals() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    BlockSignals(const BlockSignals&) = delete;
    BlockSignals& operator=(const BlockSignals&) = delete;
    ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

}  // namespace

std::unique_ptr<Engine> Engine::start(Executor& executor, Port& port, Counters::Work& counters, Cores cores) noexcept {
    std::unique_ptr<Engine> engine{new (std::nothrow) Engine{executor, port, counters, cores}};
    pthread_attr_t attributes;
    if (engine == nullptr || pthread_attr_init(&attributes) != 0) return nullptr;
    pthread_attr_setstacksize(&attributes, kStackBytes);
    {
        const BlockSignals while_creating;
        engine->started_ = pthread_create(&engine->thread_, &attributes, thread_main, engine.get()) == 0;
    }
    pthread_attr_destroy(&attributes);
    if (!engine->started_) return nullptr;
    pthread_setname_np(engine->thread_, "octavo-engine");
    return engine;
}

Engine::~Engine() {
    if (!started_ || generation_ != fork::generation()) return;
    stop_.store(true, std::memory_order_release);
    parking_.wake();
    pthread_join(thread_, nullptr);
}

void* Engine::thread_main(void* engine) noexcept {
    const sched_param no_priority{};
    // refused in some containers: then a wake-up may pre-empt the submitter, which costs speed alone
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
    auto& self = *static_cast<Engine*>(engine);
    self.settle_on_cores();
    self.loop();
    return nullptr;
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
