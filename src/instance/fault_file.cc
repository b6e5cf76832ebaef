#include "instance/fault_file.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "base/clock.hpp"
#include "base/folder.hpp"
#include "base/fork.hpp"
#include "instance/own_file.hpp"
#include "instance/proc.hpp"
#include "instance/stats_file.hpp"

namespace octavo::instance {
namespace {

constexpr std::uint64_t kMagic = 0x31746c75616638;  // "8fault1", little-endian
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kAnswerNs = 2'000'000'000;

// Not private: the other side has its own mapping of the word.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::uint64_t timeout_ns) noexcept {
    timespec timeout{};
    timeout.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000U);
    timeout.tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000U);
    syscall(SYS_futex, &word, FUTEX_WAIT, seen, &timeout, nullptr, 0);
}
void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
    syscall(SYS_futex, &word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

std::optional<Fault> read_fault(const FaultFile::Entry& entry) noexcept {
    if (entry.is_set.load(std::memory_order_acquire) != 1) return std::nullopt;
    const Fault fault{static_cast<FaultKind>(entry.kind.load(std::memory_order_relaxed)),
                      entry.endpoint.load(std::memory_order_relaxed), entry.operation.load(std::memory_order_relaxed),
                      entry.value.load(std::memory_order_relaxed)};
    const bool makes_sense =
        fault.kind >= FaultKind::delay && fault.kind <= FaultKind::kill && fault.operation < device::kMaxOperations &&
        (fault.endpoint == Fault::kAnyEndpoint || fault.endpoint < device::kMaxEndpoints) && fault.value <= kMaxFaultNs;
    return makes_sense ? std::optional{fault} : std::nullopt;
}

void write_fault(FaultFile::Entry& entry, const Fault& fault) noexcept {
    entry.kind.store(static_cast<std::uint32_t>(fault.kind), std::memory_order_relaxed);
    entry.endpoint.store(fault.endpoint, std::memory_order_relaxed);
    entry.operation.store(fault.operation, std::memory_order_relaxed);
    entry.value.store(fault.value, std::memory_order_relaxed);
    entry.is_set.store(1, std::memory_order_release);  // the rest is visible first
}

struct OwnFaults {
    std::string path;
    std::uint64_t generation = 0;
};
OwnFaults* const own_faults = new OwnFaults;  // see base/fork.hpp
OwnFaults& own() noexcept { return *own_faults; }
void remove_at_exit() noexcept {
    if (!own().path.empty() && own().generation == fork::generation()) ::unlink(own().path.c_str());
}
[[maybe_unused]] const int registered = std::atexit(remove_at_exit);

bool is_alive(const FaultFile& file, std::uint32_t pid) {
    const auto process = read_process(pid);
    return file.magic == kMagic && file.version == kVersion && file.pid == pid && process.alive &&
           process.start == file.process_start;
}

FaultFile* map_file(int fd) noexcept {
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != static_cast<off_t>(sizeof(FaultFile)))
        return nullptr;
    void* memory = ::mmap(nullptr, sizeof(FaultFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<FaultFile*>(memory);
}

}  // namespace

FaultList read_faults(const FaultFile& file) noexcept {
    FaultList faults;
    for (const auto& entry : file.faults)
        if (const auto fault = read_fault(entry)) faults.add(*fault);
    return faults;
}

void remove_fault(FaultFile& file, const Fault& fault) noexcept {
    for (auto& entry : file.faults)
        if (read_fault(entry) == fault) entry.is_set.store(0, std::memory_order_release);
}

FaultFile* make_fault_file() {
    std::string path;
    auto* file = static_cast<FaultFile*>(map_own_file("faults", sizeof(FaultFile), path));
    if (file == nullptr) return nullptr;
    own() = {path, fork::generation()};
    file->pid = static_cast<std::uint32_t>(::getpid());
    file->process_start = read_process(file->pid).start;
    file->version = kVersion;
    file->magic = kMagic;
    return file;
}

void sleep_for_fault(FaultFile& file, std::uint32_t seen, std::uint64_t timeout_ns) noexcept {
    futex_wait(file.asked, seen, timeout_ns);
}

void faults_followed(FaultFile& file, std::uint32_t asked) noexcept {
    file.followed.store(asked, std::memory_order_release);
    futex_wake(file.followed);
}

// ---- the other side ----

std::unique_ptr<FaultControl> FaultControl::open(std::uint32_t pid, Answer& answer) {
    answer = read_process(pid).alive ? Answer::not_allowed : Answer::no_process;
    for (const auto& directory : all_directories()) {
        const auto path = path_in(directory, std::to_string(pid) + ".faults");
        const int fd = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) {
            if (errno == EACCES) answer = Answer::not_yours;
            continue;
        }
        auto* file = map_file(fd);
        if (file != nullptr && is_alive(*file, pid) && ::flock(fd, LOCK_EX) == 0) {
            answer = Answer::ok;
            return std::unique_ptr<FaultControl>{new FaultControl{fd, file}};
        }
        if (file != nullptr) ::munmap(file, sizeof *file);
        ::close(fd);
    }
    return nullptr;
}

FaultControl::~FaultControl() {
    ::munmap(file_, sizeof *file_);
    ::close(fd_);
}

bool FaultControl::allows(std::uint32_t endpoint) const noexcept {
    const auto allowed = file_->allowed.load(std::memory_order_relaxed);
    return endpoint == Fault::kAnyEndpoint ? allowed != 0
                                           : endpoint < device::kMaxEndpoints && (allowed >> endpoint & 1) != 0;
}

FaultControl::Answer FaultControl::add(const Fault& fault) {
    FaultFile::Entry* place = nullptr;
    for (auto& entry : file_->faults) {
        const auto there = read_fault(entry);
        const bool is_same = there && there->kind == fault.kind && there->endpoint == fault.endpoint &&
                             there->operation == fault.operation;
        if (is_same || (!there && place == nullptr)) place = &entry;
        if (is_same) break;
    }
    if (place == nullptr) return Answer::full;
    place->is_set.store(0, std::memory_order_relaxed);
    write_fault(*place, fault);
    return follow();
}

FaultControl::Answer FaultControl::remove(const FaultList& faults) {
    for (const auto& fault : faults) remove_fault(*file_, fault);
    return follow();
}

FaultControl::Answer FaultControl::follow() noexcept {
    const auto asked = file_->asked.fetch_add(1, std::memory_order_release) + 1;
    futex_wake(file_->asked);
    const auto end = now_ns() + kAnswerNs;
    for (;;) {
        const auto followed = file_->followed.load(std::memory_order_acquire);
        if (static_cast<std::int32_t>(followed - asked) >= 0) return Answer::ok;
        const auto now = now_ns();
        if (now >= end) return Answer::no_answer;
        futex_wait(file_->followed, followed, end - now);
    }
}

std::vector<std::uint32_t> processes_with_faults() {
    std::vector<std::uint32_t> found;
    for (const auto& directory : all_directories())
        for (const auto& name : list_folder(directory).names) {
            if (!name.ends_with(".faults")) continue;
            const auto pid = static_cast<std::uint32_t>(std::strtoul(name.c_str(), nullptr, 10));
            auto answer = FaultControl::Answer::ok;
            if (FaultControl::open(pid, answer) != nullptr)
                found.push_back(pid);
            else if (answer == FaultControl::Answer::no_process)
                ::unlink(path_in(directory, name).c_str());
        }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace octavo::instance
