#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "load/histogram.hpp"

namespace octavo::cli::load {

/// What became of connections.
struct Tally {
    std::uint64_t handshakes = 0;  ///< ended well after the warm-up
    std::uint64_t in_window = 0;   ///< of these, ended before the run's end: what rates are computed from
    std::uint64_t resumed = 0;     ///< of these handshakes
    std::uint64_t aborted = 0;
    std::uint64_t failures = 0;   ///< from the very start: a warm-up hides none
    std::uint64_t unstarted = 0;  ///< open loop: due, but never begun for want of a free connection
    std::map<std::string, std::uint64_t> failures_by_kind;
    Histogram latencies;  ///< of the handshakes, ns

    void add(const Tally& other) {
        handshakes += other.handshakes;
        in_window += other.in_window;
        resumed += other.resumed;
        aborted += other.aborted;
        failures += other.failures;
        unstarted += other.unstarted;
        for (const auto& [kind, count] : other.failures_by_kind) failures_by_kind[kind] += count;
        latencies.add(other.latencies);
    }
};

}  // namespace octavo::cli::load
