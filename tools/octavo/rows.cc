#include "rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "kernel/ed25519/ed25519.hpp"
#include "kernel/modexp/modexp.hpp"
#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/row.hpp"
#include "kernel/rsa/rsa.hpp"
#include "kernel/x25519/x25519.hpp"

namespace octavo::cli {
namespace {

constexpr const char* kRef = "ref";

cpu::Features without(cpu::Features have, cpu::Features taken) {
    return static_cast<cpu::Features>(static_cast<std::uint32_t>(have) & ~static_cast<std::uint32_t>(taken));
}

/// Why a lane row cannot run; "" where it can.
std::string obstacle(const std::string& name, cpu::Features needs) {
    if (auto why = cpu_obstacle(needs); !why.empty()) return why;
    if (!kernel::row_usable(name.c_str(), needs))
        return fmt::format("OCTAVO_FORCE_ROW asks for \"{}\"", kernel::forced_row());
    return {};
}

std::string reason(const KernelRow& row, const std::string& chosen_lane) {
    if (row.name == kRef) {
        if (chosen_lane.empty()) return "no lane row can run: it takes everything";
        return fmt::format("for lone operations, and for keys that \"{}\" does not take", chosen_lane);
    }
    if (row.chosen) return "the first row that can run";
    return fmt::format("\"{}\" comes first", chosen_lane);
}

/// The rows of one table; `Row` has `name` and `needs`. `lane` is the one that runs, or null.
template <typename Row>
void add_table(std::vector<KernelRow>& list, const char* table, std::span<const Row> rows, const Row* lane) {
    const std::string lane_name = lane == nullptr ? "" : lane->name;
    for (const auto& row : rows) {
        const std::string why_not = row.name == std::string_view{kRef} ? "" : obstacle(row.name, row.needs);
        KernelRow entry{table, row.name, names_of(row.needs), why_not.empty(), &row == lane, why_not};
        if (entry.name == kRef) entry.chosen = true;
        if (why_not.empty()) entry.why = reason(entry, lane_name);
        list.push_back(std::move(entry));
    }
}

}  // namespace

std::string cpu_obstacle(cpu::Features needs) {
    const auto lacking = without(needs, cpu::detected());
    if (lacking != cpu::none) return fmt::format("this CPU lacks {}", fmt::join(names_of(lacking), ", "));
    const auto disabled = without(needs, cpu::available());
    if (disabled != cpu::none)
        return fmt::format("OCTAVO_DISABLE_CPU takes {} away", fmt::join(names_of(disabled), ", "));
    return {};
}

std::vector<KernelRow> kernel_rows() {
    std::vector<KernelRow> list;
    add_table(list, "rsa", kernel::rsa::rows(), kernel::rsa::lane_row());
    add_table(list, "p256", kernel::p256::rows(), kernel::p256::lane_row());
    add_table(list, "p384", kernel::p384::rows(), kernel::p384::lane_row());
    add_table(list, "x25519", kernel::x25519::rows(), kernel::x25519::lane_row());
    add_table(list, "ed25519", kernel::ed25519::rows(), kernel::ed25519::lane_row());
    add_table(list, "modexp", kernel::modexp::rows(), kernel::modexp::lane_row());
    return list;
}

bool all_have_lane_rows(const std::vector<KernelRow>& rows) {
    std::map<std::string, bool> has_lane;
    for (const auto& row : rows) has_lane[row.table] |= row.chosen && row.name != kRef;
    return std::all_of(has_lane.begin(), has_lane.end(), [](const auto& table) { return table.second; });
}

std::vector<std::string> override_warnings(const std::vector<KernelRow>& rows) {
    std::vector<std::string> warnings;
    if (const auto unknown = cpu::unknown_disabled_names(); !unknown.empty()) {
        std::vector<std::string> known;
        for (const auto& feature : cpu::feature_names()) known.emplace_back(feature.name);
        warnings.push_back(fmt::format("OCTAVO_DISABLE_CPU names no CPU feature with \"{}\" (known: {})", unknown,
                                       fmt::join(known, ", ")));
    }
    const char* forced = kernel::forced_row();
    const auto is_forced = [&](const KernelRow& row) { return row.name == forced; };
    if (forced != nullptr && std::none_of(rows.begin(), rows.end(), is_forced))
        warnings.push_back(fmt::format("OCTAVO_FORCE_ROW names no row with \"{}\": only ref rows run", forced));
    return warnings;
}

std::vector<std::string> names_of(cpu::Features features) {
    std::vector<std::string> names;
    for (const auto& entry : cpu::feature_names())
        if (cpu::has(features, entry.feature)) names.emplace_back(entry.name);
    return names;
}

std::string cpu_model() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (!line.starts_with("model name")) continue;
        const auto start = line.find_first_not_of(" \t", line.find(':') + 1);
        if (start != std::string::npos) return line.substr(start);
    }
    return "unknown";
}

}  // namespace octavo::cli
