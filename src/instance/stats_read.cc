#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "instance/proc.hpp"
#include "instance/stats_file.hpp"

namespace octavo::instance {
namespace {

namespace fs = std::filesystem;

/// A file of another process, mapped for reading.
class MappedFile {
public:
    explicit MappedFile(const fs::path& path) {
        const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return;
        struct stat info {};
        if (::fstat(fd, &info) == 0 && info.st_size == static_cast<off_t>(sizeof(StatsFile)))
            memory_ = ::mmap(nullptr, sizeof(StatsFile), PROT_READ, MAP_SHARED, fd, 0);
        ::close(fd);
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile() {
        if (memory_ != MAP_FAILED) ::munmap(memory_, sizeof(StatsFile));
    }

    /// Null for a file that is not one of ours.
    const StatsFile* get() const noexcept {
        if (memory_ == MAP_FAILED) return nullptr;
        const auto* file = static_cast<const StatsFile*>(memory_);
        return file->magic == kStatsMagic && file->version == kStatsVersion ? file : nullptr;
    }

private:
    void* memory_ = MAP_FAILED;
};

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
    return {field, strnlen(field, N)};
}

ProcessStats copy(const StatsFile& file) {
    ProcessStats process{file.pid, text_of(file.command), {}};
    for (const auto& block : file.blocks) {
        if (block.live.load(std::memory_order_acquire) == 0) continue;
        ProcessStats::Instance instance{text_of(block.name),
                                        block.driver.load(std::memory_order_relaxed),
                                        block.counters.last_submit_ns.load(std::memory_order_relaxed),
                                        {}};
        instance.counters.size = sizeof instance.counters;
        add_up(block.counters, instance.counters);
        process.instances.push_back(std::move(instance));
    }
    return process;
}

std::set<fs::path> directories() {
    std::set<fs::path> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/dev/shm", ignored})
        if (entry.path().filename().string().starts_with("octavo-")) found.insert(entry.path());
    if (const auto own = stats_directory(); !own.empty()) found.insert(own);
    return found;
}

}  // namespace

Process read_process(std::uint32_t pid) {
    Process process;
    std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
    std::string line;
    if (!std::getline(stat, line)) return process;
    // the command stands in brackets and may hold any character: the fields after it start behind the last bracket
    const auto open = line.find('('), close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos) return process;
    process.command = line.substr(open + 1, close - open - 1);
    std::istringstream fields{line.substr(close + 1)};
    constexpr int kFieldsBeforeStart = 19;  // 3 (state) to 21 of proc(5)
    std::string skipped;
    for (int i = 0; i < kFieldsBeforeStart; ++i) fields >> skipped;
    process.alive = static_cast<bool>(fields >> process.start);
    return process;
}

std::vector<ProcessStats> read_all_stats() {
    std::vector<ProcessStats> all;
    std::error_code ignored;
    for (const auto& directory : directories()) {
        for (const auto& entry : fs::directory_iterator{directory, ignored}) {
            const MappedFile mapped{entry.path()};
            const auto* file = mapped.get();
            if (file == nullptr || entry.path().filename() != std::to_string(file->pid) + ".stats") continue;
            const auto process = read_process(file->pid);
            if (process.alive && process.start == file->process_start)
                all.push_back(copy(*file));
            else
                fs::remove(entry.path(), ignored);
        }
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
    return all;
}

}  // namespace octavo::instance
