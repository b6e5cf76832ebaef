#pragma once

#include <sys/types.h>

#include <map>
#include <vector>

namespace octavo::cli::load {

/// CPU time of processes and all their descendants, from /proc/PID/stat. The tree is read anew at each look: workers
/// that start later are counted, and what workers used before they ended is in their parent's account of its children.
class ServerCpu {
public:
    /// Throws UsageError where one of `pids` is no process.
    explicit ServerCpu(const std::vector<pid_t>& pids);

    /// User and system time of all of them since they began, microseconds, in steps of the kernel's tick (10 ms).
    double microseconds();

private:
    struct Process {
        pid_t parent;
        unsigned long long ticks;  // its own, and those of children that it has waited for
    };
    using Table = std::map<pid_t, Process>;

    static Table read_all();
    void refresh();

    Table tree_;
    unsigned long long gone_ticks_ = 0;  // of processes that ended without a parent in the tree
};

}  // namespace octavo::cli::load
