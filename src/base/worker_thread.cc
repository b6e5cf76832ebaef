#include "base/worker_thread.hpp"

#include <sched.h>
#include <signal.h>

namespace octavo {
namespace {

constexpr std::size_t kStackBytes = 512 * 1024;

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

bool WorkerThread::start(const char* name, void (*main)(void*) noexcept, void* argument) noexcept {
    main_ = main;
    argument_ = argument;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setstacksize(&attributes, kStackBytes);
    {
        const BlockSignals while_creating;
        is_started_ = pthread_create(&thread_, &attributes, begin, this) == 0;
    }
    pthread_attr_destroy(&attributes);
    if (is_started_) pthread_setname_np(thread_, name);
    return is_started_;
}

void* WorkerThread::begin(void* self) noexcept {
    const sched_param no_priority{};
    // refused in some containers: then a wake-up may pre-empt the submitter, which costs speed alone
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
    const auto& thread = *static_cast<WorkerThread*>(self);
    thread.main_(thread.argument_);
    return nullptr;
}

void WorkerThread::join() noexcept {
    if (is_started_ && generation_ == fork::generation()) pthread_join(thread_, nullptr);
    is_started_ = false;
}

}  // namespace octavo
