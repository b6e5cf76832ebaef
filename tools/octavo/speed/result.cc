#include "speed/result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "installation.hpp"

namespace octavo::cli {
namespace {

std::string or_dash(const std::optional<double>& value, const char* unit, double scale, int digits) {
    return value ? fmt::format("{:.{}f}{}", *value * scale, digits, unit) : "-";
}

/// Three or four significant digits: rates go from hundreds to millions.
std::string rate(double per_second) {
    return per_second < 1000 ? fmt::format("{:.1f}", per_second) : fmt::format("{:.0f}", per_second);
}

constexpr const char* kLine = "{:<16} {:<18} {:>5} {:<8} {:>10} {:>10} {:>6} {:>13} {:>10} {:>9} {:>6}\n";

nlohmann::ordered_json to_object(const Result& result, const RunFacts& facts) {
    nlohmann::ordered_json object = {
        {"op", result.op},
        {"layer", result.layer},
        {"mode", result.mode},
        {"depth", result.depth},
        {"octavo_ops_s", result.octavo_ops_s},
        {"openssl_ops_s", result.openssl_ops_s},
        {"ratio", result.ratio},
        {"ratio_min", result.ratio_min},
        {"ratio_max", result.ratio_max},
        {"ratio_p10", result.ratio_p10},
        {"ratio_p90", result.ratio_p90},
        {"rounds", result.rounds},
        {"octavo_us_per_call", result.octavo_us_per_call},
        {"row", result.row},
        {"core_taken", result.core_taken},
        {"cpu", facts.cpu},
        {"octavo_version", library_version()},
        {"openssl_version", openssl_version()},
    };
    const auto add = [&](const char* key, const std::optional<double>& value) {
        if (value) object[key] = *value;
    };
    add("kernel_ops_s", result.kernel_ops_s);
    add("overhead_us", result.overhead_us);
    add("multiply_adds_per_op", result.multiply_adds);
    add("multiply_add_limit_per_ns", facts.multiply_add_peak);
    add("limit_share", result.limit_share);
    if (!result.notes.empty()) object["note"] = fmt::format("{}", fmt::join(result.notes, "; "));
    return object;
}

}  // namespace

void print_head(const RunFacts& facts) {
    fmt::print("{}, core {}, {} s a row; interleaved rounds, medians; ratio: Octavo's rate by OpenSSL's,\n",
               version_line(), facts.cpu, facts.seconds);
    fmt::print(
        "spread: least and greatest ratio of a round; overhead: per request above the kernel at the same depth;\n");
    if (facts.multiply_add_peak)
        fmt::print("limit: share of the multiplier's {:.2f} vector multiply-adds per ns, measured on this core\n\n",
                   *facts.multiply_add_peak);
    else
        fmt::print("limit: no avx512ifma here\n\n");
    fmt::print(kLine, "operation", "layer", "depth", "row", "octavo/s", "openssl/s", "ratio", "spread", "us/call",
               "overhead", "limit");
}

void print_result(const Result& result) {
    const std::string layer = result.mode.empty() ? result.layer : result.layer + "/" + result.mode;
    const std::string row = result.row.empty() ? "-" : result.row;
    fmt::print(kLine, result.op, layer, result.depth, row, rate(result.octavo_ops_s), rate(result.openssl_ops_s),
               fmt::format("{:.2f}", result.ratio), fmt::format("{:.2f}..{:.2f}", result.ratio_min, result.ratio_max),
               fmt::format("{:.1f}", result.octavo_us_per_call), or_dash(result.overhead_us, " us", 1, 2),
               or_dash(result.limit_share, "%", 100, 0));
    std::fflush(stdout);
}

void print_notes(const std::vector<Result>& results) {
    std::set<std::string> notes;
    for (const auto& result : results) notes.insert(result.notes.begin(), result.notes.end());
    if (!notes.empty()) fmt::print("\n");
    for (const auto& note : notes) fmt::print("note: {}\n", note);
}

std::string to_json(const std::vector<Result>& results, const RunFacts& facts) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& result : results) list.push_back(to_object(result, facts));
    return list.dump(2) + "\n";
}

}  // namespace octavo::cli
