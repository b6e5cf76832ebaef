#include "base/worker_thread.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace octavo {
namespace {

constexpr std::size_t kStackBytes = 512 * 1024;

/// The kernel's structure for sched_setattr(2), of which the C library has none.
struct SchedulingAttributes {
    std::uint32_t size;
    std::uint32_t policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime_ns;  ///< the slice, from Linux 6.12 on; no matter before
    std::uint64_t deadline_ns, period_ns;
};

void ask_for_short_slices() noexcept {
    if (sched_getscheduler(0) != SCHED_OTHER) return;
    constexpr std::uint64_t kSliceNs = 100'000;  // the least there is
    SchedulingAttributes attributes{};
    attributes.size = sizeof attributes;
    attributes.policy = SCHED_OTHER;
    attributes.nice = getpriority(PRIO_PROCESS, 0);  // set as well, whether it is to change or not
    attributes.runtime_ns = kSliceNs;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void ask_for_patience() noexcept {
    const sched_param no_priority{};
    // refused in some containers: then a wake-up may pre-empt the submitter, which costs speed alone
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
}

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

bool WorkerThread::start(const char* name, void (*main)(void*) noexcept, void* argument, Waking waking) noexcept {
    main_ = main;
    waking_ = waking;
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
    const auto& thread = *static_cast<WorkerThread*>(self);
    thread.waking_ == Waking::prompt ? ask_for_short_slices() : ask_for_patience();
    thread.main_(thread.argument_);
    return nullptr;
}

void WorkerThread::join() noexcept {
    if (is_started_ && generation_ == fork::generation()) pthread_join(thread_, nullptr);
    is_started_ = false;
}

}  // namespace octavo
