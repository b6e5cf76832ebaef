#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace octavo::cli {

/// One measured row. Rates are medians over the rounds; ratios are Octavo's rate by OpenSSL's.
struct Result {
    std::string op, layer, mode, row;
    std::vector<std::string> notes;
    std::size_t depth = 0, rounds = 0;
    double core_taken = 0;  ///< see Rounds
    double octavo_ops_s = 0, openssl_ops_s = 0;
    double octavo_us_per_call = 0;        ///< for `depth` operations
    double ratio = 0;                     ///< of the medians
    double ratio_min = 0, ratio_max = 0;  ///< least and greatest of the rounds' own ratios
    double ratio_p10 = 0, ratio_p90 = 0;  ///< the same without the outer tenths
    std::optional<double> kernel_ops_s,
        overhead_us;  ///< layer api: the kernel in the same rounds; per request above it
    std::optional<double> multiply_adds,
        limit_share;  ///< see Family::multiply_adds; share of the multiplier's measured limit
};

/// What holds for the whole run.
struct RunFacts {
    int cpu;
    double seconds;
    std::optional<double> multiply_add_peak;  ///< per ns
};

/// A table's head, and a line for each result as it comes.
void print_head(const RunFacts& facts);
void print_result(const Result& result);
/// The notes that results left, each once.
void print_notes(const std::vector<Result>& results);

/// A JSON list of objects, one for each result.
std::string to_json(const std::vector<Result>& results, const RunFacts& facts);

}  // namespace octavo::cli
