#include "load/runner.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>

#include "load/server_cpu.hpp"
#include "load/worker.hpp"
#include "usage.hpp"

namespace octavo::cli::load {
namespace {

using namespace std::chrono_literals;

constexpr rlim_t kOtherFiles = 64;  // standard streams, libraries, epoll
constexpr Duration kSignalCheck = 50ms;

volatile std::sig_atomic_t interrupt_seen = 0;

/// SIGINT and SIGTERM set `interrupt_seen`; SIGPIPE is what write() says anyway. Restored with the scope.
class Signals {
public:
    Signals() {
        interrupt_seen = 0;
        struct sigaction note {};
        note.sa_handler = [](int) { interrupt_seen = 1; };
        note.sa_flags = static_cast<int>(SA_RESETHAND);  // a second one ends the program at once
        struct sigaction ignore {};
        ignore.sa_handler = SIG_IGN;
        sigaction(SIGINT, &note, &old_[0]);
        sigaction(SIGTERM, &note, &old_[1]);
        sigaction(SIGPIPE, &ignore, &old_[2]);
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals() {
        sigaction(SIGINT, &old_[0], nullptr);
        sigaction(SIGTERM, &old_[1], nullptr);
        sigaction(SIGPIPE, &old_[2], nullptr);
    }

private:
    struct sigaction old_[3]{};
};

void allow_files(std::size_t connections) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t needed = connections + kOtherFiles;
    if (limit.rlim_cur >= needed) return;
    limit.rlim_cur = std::min(limit.rlim_max, needed);
    if (limit.rlim_cur == needed && setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
    throw UsageError(
        fmt::format("--connections {}: this process may open only {} files; ask for fewer, or raise \"ulimit -n\"",
                    connections, limit.rlim_max));
}

void pin(std::thread& thread, int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    const int error = pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
    if (error == 0) return;
    throw UsageError(fmt::format("--cpu {}: this process may not run there ({}); \"taskset -p $$\" shows where it may",
                                 cpu, std::strerror(error)));
}

double own_cpu_us() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double to_ms(std::uint64_t ns) { return static_cast<double>(ns) / 1e6; }

/// The threads, and the clock that looks at them.
class Run {
public:
    Run(const Plan& plan, const std::function<void(const Sample&)>& each_second)
        : plan_(plan), each_second_(each_second) {
        allow_files(plan.connections);
        if (!plan.server_pids.empty()) server_.emplace(plan.server_pids);
        for (std::size_t i = 0; i < plan.threads; ++i) workers_.push_back(std::make_unique<Worker>(plan, times_, i));
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() {
        times_.stop_at = Clock::now();
        for (auto& thread : threads_)
            if (thread.joinable()) thread.join();
    }

    Result go() {
        result_.plan = plan_;
        last_sample_ = times_.start = Clock::now();
        times_.measure_from = times_.start + from_seconds(plan_.warmup);
        times_.stop_at = times_.measure_from + from_seconds(plan_.duration);
        start_threads();
        sleep_until(times_.measure_from);
        open_window();
        sleep_until(times_.stop_at.load());
        close_window();
        sleep_until(TimePoint::max());
        sample(Clock::now());
        for (auto& thread : threads_) thread.join();
        if (error_) std::rethrow_exception(error_);
        return summarise();
    }

private:
    void start_threads() {
        num_running_ = workers_.size();
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            threads_.emplace_back([this, i] { work(*workers_[i]); });
            if (!plan_.cpus.empty()) pin(threads_.back(), plan_.cpus[i % plan_.cpus.size()]);
        }
    }

    void work(Worker& worker) {
        std::exception_ptr error;
        try {
            worker.run();
        } catch (...) {
            error = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        if (error) {
            error_ = error;
            times_.stop_at = Clock::now();
        }
        --num_running_;
        changed_.notify_all();
    }

    /// Until then, or until all threads have ended or a signal has come, with a sample each second.
    void sleep_until(TimePoint end) {
        for (;;) {
            const TimePoint now = Clock::now();
            if (interrupt_seen != 0 && !result_.interrupted) interrupt(now);
            if (now - last_sample_ >= 1s) sample(now);
            std::unique_lock lock(mutex_);
            if (now >= end || num_running_ == 0) return;
            if (result_.interrupted && end != TimePoint::max()) return;
            changed_.wait_for(lock, std::min<Duration>(kSignalCheck, end - now));
        }
    }

    void interrupt(TimePoint now) {
        result_.interrupted = true;
        times_.stop_at = std::min(now, times_.stop_at.load());
    }

    void open_window() {
        server_before_ = server_ ? server_->microseconds() : 0;
        client_before_ = own_cpu_us();
        window_start_ = Clock::now();
    }

    void close_window() {
        window_end_ = Clock::now();
        client_us_ = own_cpu_us() - client_before_;
        server_us_ = server_ ? server_->microseconds() - server_before_ : 0;
    }

    void sample(TimePoint now) {
        Tally tally;
        Sample sample;
        for (const auto& worker : workers_) {
            tally.add(worker->take());
            sample.in_flight += worker->in_flight();
        }
        sample.at = to_seconds(now - times_.start);
        sample.seconds = to_seconds(now - last_sample_);
        sample.handshakes = tally.handshakes;
        sample.failures = tally.failures;
        sample.aborted = tally.aborted;
        sample.p50_ms = to_ms(tally.latencies.percentile(0.5));
        sample.p99_ms = to_ms(tally.latencies.percentile(0.99));
        last_sample_ = now;
        if (server_) server_->microseconds();  // so that no worker comes and goes between two looks
        result_.total.add(tally);
        result_.samples.push_back(sample);
        each_second_(sample);
    }

    Result summarise() {
        for (const auto& worker : workers_)
            if (result_.negotiated.tls.empty()) result_.negotiated = worker->negotiated();
        result_.seconds = std::max(to_seconds(window_end_ - window_start_), 1e-9);
        const auto handshakes = static_cast<double>(result_.total.in_window);
        result_.handshakes_s = handshakes / result_.seconds;
        result_.client_busy = client_us_ / (result_.seconds * 1e6 * static_cast<double>(plan_.threads));
        if (handshakes > 0) {
            result_.client_cpu_us_per_handshake = client_us_ / handshakes;
            if (server_) result_.cpu_us_per_handshake = server_us_ / handshakes;
        }
        return std::move(result_);
    }

    const Plan& plan_;
    const std::function<void(const Sample&)>& each_second_;
    Timetable times_{};
    std::optional<ServerCpu> server_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;  // num_running_, error_
    std::condition_variable changed_;
    std::size_t num_running_ = 0;
    std::exception_ptr error_;
    TimePoint last_sample_, window_start_, window_end_;
    double server_before_ = 0, client_before_ = 0, server_us_ = 0, client_us_ = 0;
    Result result_;
};

}  // namespace

Result run_load(const Plan& plan, const std::function<void(const Sample&)>& each_second) {
    const Signals signals;
    return Run(plan, each_second).go();
}

}  // namespace octavo::cli::load
