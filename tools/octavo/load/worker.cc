#include "load/worker.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "usage.hpp"

namespace octavo::cli::load {
namespace {

using namespace std::chrono_literals;

// Ten thousand connections at once would overflow the server's accept queue: between two looks at events, so many start.
constexpr int kStartsPerTurn = 32;
constexpr int kEventsPerTurn = 256;
// A server that refuses does so in microseconds: without a rest, its restart would look like a million failures.
constexpr Duration kRest = 10ms;
// Looks at the stop time, which an interrupt may have moved.
constexpr Duration kLongestWait = 100ms;
// Aborts are spread over a little more than a handshake takes.
constexpr double kAbortSpread = 1.2;

std::size_t part_of(std::size_t whole, std::size_t parts, std::size_t index) {
    return whole / parts + (index < whole % parts ? 1 : 0);
}

int wait_for_events(int epoll, epoll_event* events, Duration at_most) {
    static std::atomic<bool> has_pwait2{true};
    if (has_pwait2.load(std::memory_order_relaxed)) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
        const timespec limit{seconds.count(), (at_most - seconds).count()};
        const int found = epoll_pwait2(epoll, events, kEventsPerTurn, &limit, nullptr);
        if (found >= 0 || errno != ENOSYS) return found;
        has_pwait2.store(false, std::memory_order_relaxed);  // before Linux 5.11
    }
    // Rounded down: the last millisecond is spent looking, so that open-loop starts are not late.
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at_most);
    return epoll_wait(epoll, events, kEventsPerTurn, static_cast<int>(ms.count()));
}

bool draw(double share, double& credit) {
    credit += share;
    if (credit < 1) return false;
    credit -= 1;
    return true;
}

}  // namespace

Worker::Worker(const Plan& plan, Timetable& times, std::size_t index)
    : plan_(plan), times_(times), kit_(plan), index_(index), quota_(part_of(plan.connections, plan.threads, index)) {
    kit_.random.seed(index);
}

void Worker::schedule() {
    if (!plan_.rate) return;
    // Threads take turns: together they start one connection every 1/rate seconds.
    interval_ = from_seconds(static_cast<double>(plan_.threads) / *plan_.rate);
    next_intended_ = times_.start + from_seconds(static_cast<double>(index_) / *plan_.rate);
}

void Worker::run() {
    schedule();
    epoll_event events[kEventsPerTurn];
    for (TimePoint now = Clock::now(); may_start(now) || !active_.empty(); now = Clock::now()) {
        expire(now);
        start_due(now);
        in_flight_.store(active_.size(), std::memory_order_relaxed);
        const auto limit = std::clamp<Duration>(next_due(now) - now, 0ns, kLongestWait);
        const int found = wait_for_events(kit_.epoll.get(), events, limit);
        if (found < 0 && errno != EINTR) throw Failure(fmt::format("epoll: {}", std::strerror(errno)));
        for (int i = 0; i < found; ++i) {
            auto& slot = static_cast<Slot&>(*static_cast<Connection*>(events[i].data.ptr));
            if (slot.advance() == Connection::Step::ended) finish(slot);
        }
    }
    drop_backlog(Clock::now());
    in_flight_.store(0, std::memory_order_relaxed);
}

bool Worker::may_start(TimePoint now) const { return !exhausted_ && now < times_.stop_at.load(); }

TimePoint Worker::next_due(TimePoint now) const {
    TimePoint due = TimePoint::max();
    if (!active_.empty()) due = active_.front().deadline;
    if (!aborts_.empty()) due = std::min(due, aborts_.top().when);
    if (may_start(now) && active_.size() < quota_) due = std::min(due, plan_.rate ? next_intended_ : rest_until_);
    return due == TimePoint::max() ? now + kLongestWait : due;
}

void Worker::expire(TimePoint now) {
    while (!active_.empty() && active_.front().deadline <= now) {
        active_.front().give_up();
        finish(active_.front());
    }
    while (!aborts_.empty() && aborts_.top().when <= now) {
        const DueAbort due = aborts_.top();
        aborts_.pop();
        if (due.slot->serial != due.serial) continue;
        due.slot->abort();
        finish(*due.slot);
    }
}

void Worker::start_due(TimePoint now) {
    if (!may_start(now)) return;
    plan_.rate ? start_open(now) : start_closed(now);
}

void Worker::start_closed(TimePoint now) {
    for (int i = 0; i < kStartsPerTurn && active_.size() < quota_ && now >= rest_until_; ++i) {
        if (!take_ticket(now)) return;
        start(now, now);
    }
}

void Worker::start_open(TimePoint now) {
    for (int i = 0; i < kStartsPerTurn && active_.size() < quota_ && next_intended_ <= now; ++i) {
        if (!take_ticket(now)) return;
        start(now, next_intended_);
        next_intended_ += interval_;
    }
}

void Worker::drop_backlog(TimePoint now) {
    if (!plan_.rate || exhausted_) return;
    const TimePoint end = std::min(now, times_.stop_at.load());
    const std::lock_guard lock(mutex_);
    if (next_intended_ < end) tally_.unstarted += static_cast<std::uint64_t>((end - next_intended_) / interval_);
}

bool Worker::take_ticket(TimePoint now) {
    if (!plan_.count || now < times_.measure_from) return true;
    exhausted_ = times_.started.fetch_add(1, std::memory_order_relaxed) >= *plan_.count;
    return !exhausted_;
}

Start Worker::plan_start(TimePoint intended) {
    Start start{.intended = intended};
    start.resume = draw(plan_.resume, resume_credit_);
    if (!draw(plan_.abort, abort_credit_)) return start;
    // Half of them while the server works, which is where it has most to clean up.
    static constexpr AbortPoint kPoints[] = {AbortPoint::silent,  AbortPoint::partial_hello, AbortPoint::finished,
                                             AbortPoint::waiting, AbortPoint::waiting,       AbortPoint::waiting};
    start.abort = kPoints[kit_.random() % std::size(kPoints)];
    return start;
}

void Worker::start(TimePoint now, TimePoint intended) {
    if (free_.empty()) {
        free_.emplace_front(kit_);
        free_.front().self = free_.begin();
    }
    active_.splice(active_.end(), free_, free_.begin());
    Slot& slot = active_.back();
    slot.serial = ++serial_;
    slot.deadline = now + from_seconds(plan_.timeout);
    const Start start = plan_start(intended);
    if (start.abort == AbortPoint::waiting) plan_abort(slot, now);
    if (slot.open(start) == Connection::Step::ended) finish(slot);
}

void Worker::plan_abort(Slot& slot, TimePoint now) {
    const double after = std::uniform_real_distribution<>(0, kAbortSpread * typical_seconds_)(kit_.random);
    aborts_.push({now + from_seconds(after), &slot, slot.serial});
}

void Worker::finish(Slot& slot) {
    const TimePoint now = Clock::now();
    const Outcome& outcome = slot.outcome();
    if (outcome.kind == Outcome::Kind::ok) typical_seconds_ += (to_seconds(outcome.latency) - typical_seconds_) / 16;
    if (outcome.why == "refused") rest_until_ = now + kRest;
    count(slot, now);
    slot.serial = 0;
    free_.splice(free_.begin(), active_, slot.self);
}

void Worker::count(const Slot& slot, TimePoint now) {
    const Outcome& outcome = slot.outcome();
    const std::lock_guard lock(mutex_);
    if (outcome.kind == Outcome::Kind::failed) {
        ++tally_.failures;
        ++tally_.failures_by_kind[outcome.why];
        return;
    }
    if (outcome.kind == Outcome::Kind::aborted) return void(++tally_.aborted);
    if (now < times_.measure_from) return;
    ++tally_.handshakes;
    if (outcome.resumed) ++tally_.resumed;
    if (now <= times_.stop_at.load()) ++tally_.in_window;
    tally_.latencies.record(static_cast<std::uint64_t>(outcome.latency.count()));
}

Tally Worker::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(tally_, {});
}

}  // namespace octavo::cli::load
