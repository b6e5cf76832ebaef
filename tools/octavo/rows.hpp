#pragma once

#include <string>
#include <vector>

#include "base/cpu.hpp"

namespace octavo::cli {

/// A row of a kernel table, as it stands in this process.
struct KernelRow {
    std::string table, name;
    std::vector<std::string> needs;  ///< CPU features
    bool usable;
    bool chosen;      ///< the lane row that runs, or `ref`, which is always in use for something
    std::string why;  ///< why it is chosen, or why not
};

/// Why what needs these cannot run: "this CPU lacks vaes"; "" where it can.
std::string cpu_obstacle(cpu::Features needs);

/// All rows of all kernel tables, in the tables' order.
std::vector<KernelRow> kernel_rows();
/// True where every table has a lane row that runs.
bool all_have_lane_rows(const std::vector<KernelRow>& rows);

/// What is wrong with OCTAVO_DISABLE_CPU and OCTAVO_FORCE_ROW (names that mean nothing), a sentence each.
std::vector<std::string> override_warnings(const std::vector<KernelRow>& rows);

std::vector<std::string> names_of(cpu::Features features);
/// As the kernel calls it, "unknown" where it does not say.
std::string cpu_model();

}  // namespace octavo::cli
