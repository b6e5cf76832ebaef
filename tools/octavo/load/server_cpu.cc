#include "load/server_cpu.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "usage.hpp"

namespace octavo::cli::load {
namespace {

struct Stat {
    pid_t parent;
    unsigned long long ticks;
};

/// Fields 4 and 14 to 17 of proc(5)'s stat; the second field, the command, may hold anything, even parentheses.
std::optional<Stat> read_stat(const std::filesystem::path& folder) {
    std::ifstream file(folder / "stat");
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    const auto command_end = line.rfind(')');
    if (command_end == std::string::npos) return std::nullopt;
    std::istringstream fields(line.substr(command_end + 1));
    std::string skipped;
    Stat stat{};
    fields >> skipped >> stat.parent;
    for (int field = 5; field < 14; ++field) fields >> skipped;
    for (int field = 14; field <= 17; ++field) {
        long long ticks = 0;
        fields >> ticks;
        stat.ticks += static_cast<unsigned long long>(ticks);
    }
    return fields ? std::optional(stat) : std::nullopt;
}

std::optional<pid_t> pid_of(const std::string& name) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    return error == std::errc{} && end == name.data() + name.size() ? std::optional(pid) : std::nullopt;
}

}  // namespace

ServerCpu::Table ServerCpu::read_all() {
    Table table;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const auto pid = pid_of(entry.path().filename());
        const auto stat = pid ? read_stat(entry.path()) : std::nullopt;
        if (stat) table[*pid] = {stat->parent, stat->ticks};
    }
    return table;
}

ServerCpu::ServerCpu(const std::vector<pid_t>& pids) {
    const Table all = read_all();
    for (const pid_t pid : pids) {
        const auto found = all.find(pid);
        if (found == all.end())
            throw UsageError(fmt::format(
                "--server-pid {}: there is no such process; give the pid of the server's first process on this machine",
                pid));
        tree_.insert(*found);
    }
}

void ServerCpu::refresh() {
    const Table all = read_all();
    Table now;
    for (const auto& [pid, process] : tree_) {
        if (const auto found = all.find(pid); found != all.end())
            now.insert(*found);
        else if (!all.contains(process.parent) || !tree_.contains(process.parent))
            gone_ticks_ += process.ticks;  // else its parent has waited for it, and counts it
    }
    // A child's pid may be less than its parent's: go round until nothing is new.
    for (bool grew = true; std::exchange(grew, false);)
        for (const auto& entry : all)
            if (now.contains(entry.second.parent)) grew |= now.insert(entry).second;
    tree_ = std::move(now);
}

double ServerCpu::microseconds() {
    refresh();
    unsigned long long ticks = gone_ticks_;
    for (const auto& [pid, process] : tree_) ticks += process.ticks;
    return static_cast<double>(ticks) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace octavo::cli::load
