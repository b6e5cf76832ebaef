#pragma once

#include <octavo/octavo.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "device/counters.hpp"
#include "device/endpoint.hpp"

/// The statistics file: what a process shows of its instances to other processes (`octavo doctor`, `octavo top`).
/// One file per process, `<directory>/<pid>.stats`, mode 0600, mapped by its owner and updated with relaxed stores: reading it costs the
/// owner nothing. Counters only grow while an instance lives; a reader may see counters of one request out of step.
namespace octavo::instance {

inline constexpr std::uint64_t kStatsMagic = 0x3173746174736f38;  // "8ostats1", little-endian
inline constexpr std::uint32_t kStatsVersion = 3;
inline constexpr std::size_t kStatsInstances = 64;

/// One instance in the file.
struct alignas(64) StatsBlock {
    std::atomic<std::uint32_t> live;    ///< 0: free, 1: an instance's
    std::atomic<std::uint32_t> driver;  ///< octavo_driver as it runs now: inline or threads
    std::atomic<std::uint32_t> endpoint;
    char name[32];
    device::Counters counters;
};

struct StatsFile {
    std::uint64_t magic;
    std::uint32_t version, pid;
    std::uint64_t process_start;  ///< field 22 of /proc/<pid>/stat: tells a process from a later one of the same number
    char command[64];             ///< /proc/self/comm
    std::atomic<std::uint32_t> section_state;  ///< SectionNote::state; written after the two texts
    char section[64], section_reason[192];
    std::atomic<std::uint32_t> endpoint_states[device::kMaxEndpoints];  ///< octavo_endpoint_state
    StatsBlock blocks[kStatsInstances];
};

/// What a process has of a configuration (config/process.hpp), for others to see.
struct SectionNote {
    enum State : std::uint32_t { none = 0, held = 1, denied = 2 };
    std::uint32_t state = none;
    std::string name;    ///< of the internal section held
    std::string reason;  ///< why one was denied
};
/// Shows it in this process's file, which is made where there is something to show; in a child after fork() it is gone. Thread-safe.
void note_section(SectionNote note);
/// Shows an endpoint's octavo_endpoint_state in this process's file, where there is one. Thread-safe.
void note_endpoint(unsigned endpoint, std::uint32_t state);

/// A block for a new instance: in this process's file, made on first use; in private memory where there can be no file or it is full.
/// After fork() the child makes a file of its own. Thread-safe. Never fails but by std::bad_alloc.
class StatsLease {
public:
    explicit StatsLease(const char* name);
    StatsLease(const StatsLease&) = delete;
    StatsLease& operator=(const StatsLease&) = delete;
    ~StatsLease();
    /// In a child after fork(): leaves the parent's block alone and takes one in the child's own file.
    void renew(const char* name);
    StatsBlock* operator->() const noexcept { return block_; }
    StatsBlock& operator*() const noexcept { return *block_; }

private:
    void take(const char* name);
    void give_back() noexcept;

    StatsBlock* block_ = nullptr;
    std::unique_ptr<StatsBlock> own_;  // holds *block_ where it is not in the file
    std::uint64_t generation_ = 0;     // fork generation in which the block was taken
};

/// A copy of another process's file. Its texts hold printable characters only.
struct ProcessStats {
    std::uint32_t pid;
    std::string command;
    struct Instance {
        std::string name;
        std::uint32_t driver;
        std::uint64_t last_submit_ns;
        octavo_statistics counters;
        std::uint32_t endpoint = 0;
        std::uint32_t state = OCTAVO_ENDPOINT_UP;  ///< the endpoint's: an octavo_endpoint_state
    };
    std::vector<Instance> instances;
    SectionNote section{};
    std::uint64_t start = 0;  ///< as StatsFile::process_start
};

/// The sum of what an instance's thread and its engine thread have counted, as of now. `statistics.size` is left alone.
void add_up(const device::Counters& counters, octavo_statistics& statistics) noexcept;

/// What the bytes of a statistics file say, whoever wrote them; nothing where it is not one of this version.
std::optional<ProcessStats> parse_stats(std::span<const std::byte> bytes);

/// The folders /dev/shm/octavo-*, and stats_directory().
std::set<std::string> all_directories();

/// All live processes' statistics in all folders /dev/shm/octavo-* that this user may read, and in stats_directory(), by pid. Files of processes
/// that are gone are skipped (and removed where that is allowed); malformed files are skipped.
std::vector<ProcessStats> read_all_stats();

}  // namespace octavo::instance
