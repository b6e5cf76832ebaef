#pragma once

#include <span>
#include <vector>

#include "speed/progress.hpp"
#include "speed/side.hpp"

namespace octavo::cli {

/// How long and how often to measure. Every round runs each side twice, in the order A B C C B A, so that a drift
/// of the clock speed falls on all sides alike.
struct Plan {
    std::size_t rounds;  ///< odd, 11 or more
    double slot_ns;      ///< for one side's turn; a turn is one call at least, whatever it takes
};
/// Divides `seconds` among rounds of `num_sides` sides.
Plan make_plan(double seconds, std::size_t num_sides) noexcept;

/// Each side first runs untimed for a turn. Times are wall-clock times less the time for which other programs held the core; where a
/// side has threads, which may hold it too, plain wall-clock times.
struct Rounds {
    std::vector<std::vector<double>> ns_per_op;  ///< one value a round, for each side in the order given
    double core_taken =
        0;  ///< share of the wall-clock time of the sides without threads for which others held the core
    bool taken_off = false;  ///< whether that was taken off
};
Rounds measure(std::span<Side* const> sides, const Plan& plan, Progress& progress);

/// The value below which the share `part` (0 to 1) of the values lies, interpolated; 0.5 is the median.
double quantile(std::vector<double> values, double part);
double median(std::vector<double> values);

/// a[i] / b[i] for every round.
std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b);
/// a[i] - b[i] for every round.
std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace octavo::cli
