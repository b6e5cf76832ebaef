#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <queue>
#include <vector>

#include "load/connection.hpp"
#include "load/tally.hpp"

namespace octavo::cli::load {

/// The run's times, and what its threads draw from.
struct Timetable {
    TimePoint start, measure_from;
    std::atomic<TimePoint> stop_at;         ///< nothing starts after it; moved forward by an interrupt
    std::atomic<std::uint64_t> started{0};  ///< after the warm-up, for --count
};

/// One thread's event loop over its part of the connections.
class Worker {
public:
    Worker(const Plan& plan, Timetable& times, std::size_t index);

    /// Until the run is over and the last connection has ended. Throws Failure.
    void run();

    /// What happened since the last call; any thread.
    [[nodiscard]] Tally take();
    [[nodiscard]] std::size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
    /// After run().
    [[nodiscard]] const Negotiated& negotiated() const { return kit_.client.negotiated(); }

private:
    struct Slot : Connection {
        using Connection::Connection;
        TimePoint deadline;
        std::uint64_t serial = 0;  // tells an abort that is due from one whose connection has ended
        std::list<Slot>::iterator self;
    };
    struct DueAbort {
        TimePoint when;
        Slot* slot;
        std::uint64_t serial;
        bool operator>(const DueAbort& other) const { return when > other.when; }
    };

    void schedule();
    void start_due(TimePoint now);
    void start_closed(TimePoint now);
    void start_open(TimePoint now);
    bool take_ticket(TimePoint now);
    void start(TimePoint now, TimePoint intended);
    Start plan_start(TimePoint intended);
    void plan_abort(Slot& slot, TimePoint now);
    void expire(TimePoint now);
    [[nodiscard]] TimePoint next_due(TimePoint now) const;
    [[nodiscard]] bool may_start(TimePoint now) const;
    void finish(Slot& slot);
    void count(const Slot& slot, TimePoint now);
    void drop_backlog(TimePoint now);

    const Plan& plan_;
    Timetable& times_;
    Kit kit_;
    std::size_t index_, quota_;
    Duration interval_{};      // open loop: between this thread's starts
    TimePoint next_intended_;  // open loop
    TimePoint rest_until_;     // after a refusal
    bool exhausted_ = false;   // --count is used up
    double resume_credit_ = 0, abort_credit_ = 0;
    double typical_seconds_ = 0.002;  // a handshake, as an average over the last ones
    std::uint64_t serial_ = 0;
    std::list<Slot> active_, free_;  // active_ in the order of deadlines
    std::priority_queue<DueAbort, std::vector<DueAbort>, std::greater<>> aborts_;
    std::atomic<std::size_t> in_flight_{0};
    std::mutex mutex_;  // tally_
    Tally tally_;
};

}  // namespace octavo::cli::load
