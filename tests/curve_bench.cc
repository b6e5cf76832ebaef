#include <fmt/core.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "speed/curves.hpp"
#include "speed/limit.hpp"
#include "speed/measure.hpp"

/// The kernels of the curves against OpenSSL on this core, in interleaved rounds:
///   octavo-curve-bench [SECONDS [OPERATION...]]     seconds for each row; operations by name, or the part before the dash
namespace {

using namespace octavo::cli;

constexpr std::size_t kDepths[] = {1, 2, 4, 8, 16, 32, 64};

bool chosen(const CurveOperation& operation, const std::vector<std::string>& names) {
    if (names.empty()) return true;
    const std::string name = operation.name;
    for (const auto& wanted : names)
        if (wanted == name || wanted == name.substr(0, name.find('-'))) return true;
    return false;
}

void print_row(const CurveOperation& operation, std::size_t depth, double seconds, std::optional<double> peak,
               Progress& progress) {
    const auto lanes = operation.lanes(depth), openssl = operation.openssl();
    lanes->run(1);
    lanes->check();
    Side* const sides[] = {lanes.get(), openssl.get()};
    const Rounds rounds = measure(sides, make_plan(seconds, std::size(sides)), progress);
    const double ns = median(rounds.ns_per_op[0]), openssl_ns = median(rounds.ns_per_op[1]);
    const auto ratios = quotients(rounds.ns_per_op[1], rounds.ns_per_op[0]);
    progress.clear();
    fmt::print("{:<16} {:>5} {:>10.0f} {:>10.0f} {:>7.2f} {:>6.2f} to {:<6.2f} {:>9.1f}", operation.name, depth,
               1e9 / ns, 1e9 / openssl_ns, openssl_ns / ns, quantile(ratios, 0.1), quantile(ratios, 0.9),
               ns * static_cast<double>(depth) / 1e3);
    if (peak) fmt::print(" {:>9.0f} {:>6.0f} %", operation.multiply_adds, 100 * operation.multiply_adds / *peak / ns);
    fmt::print("  {}{}\n", lanes->row(), rounds.core_taken >= 0.1 ? "  (others held the core)" : "");
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
    const std::vector<std::string> names(argv + std::min(argc, 2), argv + argc);
    if (seconds <= 0) {
        fmt::print(stderr, "usage: octavo-curve-bench [SECONDS [OPERATION...]]\n");
        return 2;
    }
    const auto peak = multiply_add_peak();
    fmt::print("{:<16} {:>5} {:>10} {:>10} {:>7} {:>16} {:>9} {:>9} {:>8}\n", "operation", "depth", "octavo/s",
               "openssl/s", "ratio", "p10 to p90", "us/call", "mult-adds", "of limit");
    Progress progress;
    for (const auto& operation : curve_operations())
        for (const std::size_t depth : kDepths)
            if (chosen(operation, names)) print_row(operation, depth, seconds, peak, progress);
    return 0;
}
