#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/endpoint.hpp"

/// Faults for tests, put into running processes by others of the same user (`octavo fault`): a small file per process that has allowed it,
/// `<directory>/<pid>.faults`, mode 0600, mapped by both. Neither side trusts the other's numbers.
namespace octavo::instance {

enum class FaultKind : std::uint32_t { delay = 1, error = 2, hang = 3, restart = 4, kill = 5 };

struct Fault {
    static constexpr std::uint32_t kAnyEndpoint = UINT32_MAX, kAnyOperation = 0;

    FaultKind kind{};
    std::uint32_t endpoint = kAnyEndpoint;
    std::uint32_t operation = kAnyOperation;  ///< an octavo_operation; of delay, error and hang alone
    std::uint64_t value = 0;                  ///< delay, restart: nanoseconds; error: so many of a million

    bool concerns(std::uint32_t of_endpoint) const noexcept {
        return endpoint == kAnyEndpoint || endpoint == of_endpoint;
    }
    bool concerns(std::uint32_t of_endpoint, std::uint32_t of_operation) const noexcept {
        return concerns(of_endpoint) && (operation == kAnyOperation || operation == of_operation);
    }
    friend bool operator==(const Fault&, const Fault&) = default;
};

inline constexpr std::uint64_t kMaxFaultNs = 3'600'000'000'000;  ///< of a delay or a restart
inline constexpr std::size_t kMaxFaults = 32;

class FaultList {
public:
    void add(const Fault& fault) noexcept { list_[count_++] = fault; }
    std::size_t size() const noexcept { return count_; }
    const Fault* begin() const noexcept { return list_.data(); }
    const Fault* end() const noexcept { return list_.data() + count_; }

private:
    std::size_t count_ = 0;
    std::array<Fault, kMaxFaults> list_;
};

struct FaultFile {
    struct Entry {
        std::atomic<std::uint32_t> is_set;  ///< 1: the rest counts
        std::atomic<std::uint32_t> kind, endpoint, operation;
        std::atomic<std::uint64_t> value;
    };
    std::uint64_t magic;
    std::uint32_t version, pid;
    std::uint64_t process_start;          ///< as StatsFile::process_start
    std::atomic<std::uint32_t> allowed;   ///< bit by bit, the endpoints that allow faults
    std::atomic<std::uint32_t> asked;     ///< a futex: one more with each change from outside
    std::atomic<std::uint32_t> followed;  ///< a futex: the last of these that the process has followed
    std::array<Entry, kMaxFaults> faults;
};

/// What stands in the file and makes sense.
FaultList read_faults(const FaultFile& file) noexcept;
/// Takes one out, if it is still there.
void remove_fault(FaultFile& file, const Fault& fault) noexcept;

/// The process's own file; null where there can be none. Removed when the process ends.
FaultFile* make_fault_file();
/// Sleeps until `asked` is no longer `seen`, or `timeout_ns` have passed.
void sleep_for_fault(FaultFile& file, std::uint32_t seen, std::uint64_t timeout_ns) noexcept;
/// Tells whoever has asked.
void faults_followed(FaultFile& file, std::uint32_t asked) noexcept;

/// Another process's file, for as long as this lives; one program at a time has it.
class FaultControl {
public:
    enum class Answer { ok, no_process, not_allowed, not_yours, full, no_answer };

    /// Null, and why.
    static std::unique_ptr<FaultControl> open(std::uint32_t pid, Answer& answer);
    FaultControl(const FaultControl&) = delete;
    FaultControl& operator=(const FaultControl&) = delete;
    ~FaultControl();

    /// Whether the process allows faults there; kAnyEndpoint: anywhere.
    bool allows(std::uint32_t endpoint) const noexcept;
    FaultList list() const { return read_faults(*file_); }
    /// Adds one, and waits until the process has followed, at most two seconds. One of the same kind, endpoint and operation is replaced.
    [[nodiscard]] Answer add(const Fault& fault);
    /// Takes these out, and waits likewise.
    [[nodiscard]] Answer remove(const FaultList& faults);

private:
    FaultControl(int fd, FaultFile* file) noexcept : fd_(fd), file_(file) {}
    Answer follow() noexcept;

    int fd_;
    FaultFile* file_;
};

/// Numbers of the live processes that allow faults and that this user may open.
std::vector<std::uint32_t> processes_with_faults();

}  // namespace octavo::instance
