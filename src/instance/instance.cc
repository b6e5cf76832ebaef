#include "instance/instance.hpp"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>

#include "base/error.hpp"

namespace octavo::instance {

using device::add;
using device::Wake;

Instance::Instance(const Config& config)
    : config_(config),
      stats_((std::strncpy(name_, config.name, sizeof name_ - 1), std::make_unique<StatsLease>(name_))),
      port_(config.ring_size),
      executor_(port_, config.health.endpoint, config.costs),
      costs_(config.costs),
      tickets_(config.ring_size),
      member_(std::make_unique<Member>(port_, counters().by_rescuer, config.health)) {
    config_.name = name_;
    config_.costs = nullptr;
    free_.reserve(config.ring_size);
    for (std::uint32_t number = config.ring_size; number-- > 0;) free_.push_back(number);
    (*stats_)->driver.store(OCTAVO_DRIVER_INLINE, std::memory_order_relaxed);
    (*stats_)->endpoint.store(config.health.endpoint, std::memory_order_relaxed);
    if (config_.polling.mode != OCTAVO_POLLING_DEFAULT) start_polled();
}

Instance::~Instance() {
    follow_fork();
    member_.reset();
    for (std::uint32_t number = 0; number < tickets_.size(); ++number)
        if (tickets_[number].state != State::free) disarm_wake(number);
    engine_.reset();
    if (polled_ != nullptr) stop_polled();
    for (std::uint32_t number = 0; number < tickets_.size(); ++number)
        if (tickets_[number].state != State::free) wipe_slot(slot(number));
    if (event_ >= 0) ::close(event_);
}

/// Where the application decides when to poll, nothing is computed behind its back.
void Instance::start_polled() {
    auto& polling = config_.polling;
    if (config_.driver == OCTAVO_DRIVER_AUTO) config_.driver = OCTAVO_DRIVER_INLINE;
    polling.driver = config_.driver;
    config_.never_in_place = polling.mode == OCTAVO_POLLING_EXTERNAL || polling.mode == OCTAVO_POLLING_HEURISTIC;
    polled_ = std::make_shared<Polled>(Polled::Parts{executor_, port_, counters().by_engine}, config_.ring_size,
                                       polling, config_.index);
    executor_.divert(polled_.get());
    poller_ = join_pollers(polled_);
}

void Instance::stop_polled() noexcept {
    leave_pollers(*polled_);
    polled_->close();
    poller_.reset();
}

octavo_status Instance::event_fd(int& fd) noexcept {
    follow_fork();
    fd = -1;
    if (config_.driver == OCTAVO_DRIVER_INLINE && polled_ == nullptr)
        return fail(OCTAVO_ERR_UNSUPPORTED, "an inline instance has no descriptor: nothing completes but by a poll");
    if (event_ < 0) event_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (event_ < 0) return fail(OCTAVO_ERR_SYSTEM, "eventfd: %s", std::strerror(errno));
    const bool has_engine = polled_ == nullptr || config_.driver == OCTAVO_DRIVER_THREADS;
    if (has_engine && !ensure_engine()) return fail(OCTAVO_ERR_SYSTEM, "no engine thread could be started");
    port_.reply_event.store(event_, std::memory_order_release);
    fd = event_;
    rearm_event();
    return OCTAVO_OK;
}

void Instance::drain_event() noexcept {
    if (event_ < 0) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(event_, &count, sizeof count);
}

/// What poll() leaves behind, or finds done in place, must show on the descriptor.
void Instance::rearm_event() noexcept {
    if (event_ < 0 || (!port_.has_replies() && num_to_call_ == 0)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

void Instance::statistics(octavo_statistics& statistics) noexcept {
    follow_fork();
    add_up(counters(), statistics);
}

/// In the child: the requests in flight stay the parent's, the rings and the engine thread are gone.
void Instance::after_fork() noexcept {
    engine_.reset();
    generation_ = fork::generation();
    port_.forget();
    executor_.forget();
    if (event_ >= 0) ::close(event_);
    event_ = -1;
    stats_->renew(name_);
    (*stats_)->driver.store(OCTAVO_DRIVER_INLINE, std::memory_order_relaxed);
    (*stats_)->endpoint.store(config_.health.endpoint, std::memory_order_relaxed);
    member_->renew(counters().by_rescuer);
    alone_ = Alone{};
    is_pinned_.reset();
    has_waiters_ = false;
    for (std::uint32_t number = 0; number < tickets_.size(); ++number) {
        const auto& ticket = tickets_[number];
        // Slots that nobody uses may never have been touched: their memory is still to be had, or the parent's.
        if (ticket.state == State::free && ticket.is_back && ticket.has_result) continue;
        slot(number).claim.store(device::Claim::none, std::memory_order_relaxed);
        tickets_[number].is_back = tickets_[number].has_result = true;
        slot(number).wake.store(Wake::none, std::memory_order_relaxed);
        if (tickets_[number].state == State::zombie) release(number);
        if (tickets_[number].state != State::in_flight) continue;
        add(counters().by_owner.fallback[OCTAVO_FALLBACK_FORK], 1);
        conclude(number, OCTAVO_CANCELLED);  // the parent counts it
    }
    num_in_flight_ = 0;
    if (polled_ == nullptr) return;
    poller_.reset();
    start_polled();
}

static InstanceHandles* const handles = new InstanceHandles;  // see base/fork.hpp
InstanceHandles& instances() noexcept { return *handles; }

}  // namespace octavo::instance
