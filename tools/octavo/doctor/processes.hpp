#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <string>
#include <vector>

#include "doctor/verdict.hpp"
#include "instance/stats_file.hpp"

namespace octavo::cli {

/// What a process did between two looks at its counters.
struct Activity {
    std::uint64_t submitted = 0, lanes = 0, scalar = 0, in_place = 0;
    std::uint64_t completed = 0, failed = 0, cancelled = 0;
    std::uint64_t fallback[OCTAVO_FALLBACK_REASONS] = {};
    std::uint64_t batches = 0,
                  batched = 0;  ///< lane and portable batches, and the requests in them (counts above 16 as 16)

    std::uint64_t fallbacks() const noexcept;
    std::uint64_t done() const noexcept { return lanes + scalar + fallbacks(); }
};

/// One process that uses Octavo.
struct ProcessReport {
    std::uint32_t pid;
    std::string command;
    std::size_t num_instances;
    Activity now;    ///< in the interval
    Activity total;  ///< since its instances were made
    std::uint64_t in_flight;
    std::uint64_t last_submit_ns;  ///< CLOCK_MONOTONIC; 0: never
    Verdict verdict;
    std::string text;  ///< is it offloading, and if not, why
    std::string advice;
    instance::SectionNote section;
    std::string away;  ///< "endpoint 0 is down"; "" where all of its endpoints are up
};

/// Looks twice, `seconds` apart, at all processes that this user may see, but not at this one.
std::vector<ProcessReport> report_processes(double seconds);

/// The two looks compared: what report_processes() does between them and itself. `now_ns`: CLOCK_MONOTONIC of the second.
std::vector<ProcessReport> compare(const std::vector<instance::ProcessStats>& before,
                                   const std::vector<instance::ProcessStats>& after, double seconds,
                                   std::uint64_t now_ns);

/// "section SSL_DEV0_INT_2", "no section: all 4 ..."; "" for a process that asked for none.
std::string section_words(const instance::SectionNote& section);

/// "no lane row on its CPU": the reason in words, for `reason` below OCTAVO_FALLBACK_REASONS.
const char* fallback_words(std::size_t reason) noexcept;
/// A name for programs: "cpu", "size", ...
const char* fallback_name(std::size_t reason) noexcept;

}  // namespace octavo::cli
