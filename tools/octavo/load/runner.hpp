#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "load/plan.hpp"
#include "load/tally.hpp"
#include "load/tls_client.hpp"

namespace octavo::cli::load {

/// What happened in one second or, at the run's edges, in a part of one.
struct Sample {
    double at = 0;       ///< seconds since the run's start, the warm-up included: the end of this sample
    double seconds = 0;  ///< its length
    std::uint64_t handshakes = 0, failures = 0, aborted = 0;
    std::size_t in_flight = 0;
    double p50_ms = 0, p99_ms = 0;  ///< 0 where no handshake ended
};

/// A run's figures. Rates and CPU times are those of the window between the warm-up and the run's end; handshakes that
/// were under way at the end are waited for, and count in everything else.
struct Result {
    Plan plan;
    Negotiated negotiated;
    Tally total;
    double seconds = 0;  ///< the window
    double handshakes_s = 0;
    std::optional<double> cpu_us_per_handshake;         ///< the server's, where its pid was given
    std::optional<double> client_cpu_us_per_handshake;  ///< this program's
    double client_busy = 0;                             ///< share of its threads' time that this program was running
    bool interrupted = false;
    std::vector<Sample> samples;
};

/// Runs the plan, and calls `each_second` about once a second. SIGINT and SIGTERM end it early, with figures.
/// Throws UsageError for wishes that cannot be met on this machine, and Failure.
Result run_load(const Plan& plan, const std::function<void(const Sample&)>& each_second);

}  // namespace octavo::cli::load
