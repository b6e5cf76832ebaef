#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>

#include "base/folder.hpp"
#include "instance/own_file.hpp"
#include "instance/proc.hpp"
#include "instance/stats_file.hpp"

namespace octavo::instance {
namespace {

/// A copy: a file that its owner truncates under a mapping would end this process. Empty where it has not a statistics file's length.
std::vector<std::byte> read_bytes(const std::string& path) {
    // without O_NONBLOCK a pipe of that name would hold this process up
    const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return {};
    std::vector<std::byte> bytes;
    struct stat info {};
    if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == static_cast<off_t>(sizeof(StatsFile))) {
        bytes.resize(sizeof(StatsFile));
        if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) bytes.clear();
    }
    ::close(fd);
    return bytes;
}

/// Whoever wrote the file: it must not speak to the reader's terminal.
template <std::size_t N>
std::string text_of(const char (&field)[N]) {
    std::string text{field, strnlen(field, N)};
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

ProcessStats::Instance copy(const StatsFile& file, const StatsBlock& block) {
    ProcessStats::Instance instance{text_of(block.name),
                                    block.driver.load(std::memory_order_relaxed),
                                    block.counters.last_submit_ns.load(std::memory_order_relaxed),
                                    {},
                                    block.endpoint.load(std::memory_order_relaxed)};
    if (instance.endpoint < device::kMaxEndpoints)
        instance.state = file.endpoint_states[instance.endpoint].load(std::memory_order_relaxed);
    instance.counters.size = sizeof instance.counters;
    add_up(block.counters, instance.counters);
    return instance;
}

/// The first KiB of a file of /proc, which is more than a line of "stat" has; "" where there is none.
std::string read_line(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {};
    std::array<char, 1024> line;
    const auto len = ::read(fd, line.data(), line.size());
    ::close(fd);
    return {line.data(), len > 0 ? static_cast<std::size_t>(len) : 0};
}

}  // namespace

std::set<std::string> all_directories() {
    constexpr const char* kMemoryFolder = "/dev/shm";
    std::set<std::string> found;
    for (const auto& name : list_folder(kMemoryFolder).names)
        if (name.starts_with("octavo-")) found.insert(path_in(kMemoryFolder, name));
    if (const auto own = stats_directory(); !own.empty()) found.insert(own);
    return found;
}

std::optional<ProcessStats> parse_stats(std::span<const std::byte> bytes) {
    if (bytes.size() != sizeof(StatsFile)) return std::nullopt;
    const auto file = std::make_unique<StatsFile>();
    std::memcpy(static_cast<void*>(file.get()), bytes.data(), sizeof *file);
    if (file->magic != kStatsMagic || file->version != kStatsVersion) return std::nullopt;
    ProcessStats process{file->pid, text_of(file->command), {}, {}, file->process_start};
    process.section = {file->section_state.load(std::memory_order_relaxed), text_of(file->section),
                       text_of(file->section_reason)};
    for (const auto& block : file->blocks)
        if (block.live.load(std::memory_order_relaxed) != 0) process.instances.push_back(copy(*file, block));
    return process;
}

namespace {

/// Those of proc(5)'s stat behind the command, with its numbers: from 3 on. Not by sscanf(), whose pages would be an idle process's only for that.
class Fields {
public:
    explicit Fields(std::string_view text) noexcept : text_(text) {}

    std::string_view at(int wanted) const noexcept {
        auto rest = text_;
        for (int field = 2; field < wanted; ++field) {
            const auto space = rest.find(' ');
            if (space == std::string_view::npos) return {};
            rest.remove_prefix(space + 1);
        }
        return rest.substr(0, rest.find(' '));
    }
    std::optional<std::uint64_t> number(int wanted) const noexcept {
        const auto text = at(wanted);
        std::uint64_t number = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
        return end.ec == std::errc{} ? std::optional{number} : std::nullopt;
    }

private:
    const std::string_view text_;
};

}  // namespace

Process read_process(std::uint32_t pid) { return parse_process(read_line("/proc/" + std::to_string(pid) + "/stat")); }

ThreadTime read_thread(int number) noexcept try {
    return parse_process(read_line("/proc/self/task/" + std::to_string(number) + "/stat")).time;
} catch (const std::bad_alloc&) {
    return {};
}

Process parse_process(const std::string& line) {
    Process process;
    // the command stands in brackets and may hold any character: the fields after it start behind the last bracket
    const auto open = line.find('('), close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos) return process;
    process.command = line.substr(open + 1, close - open - 1);
    const Fields fields{std::string_view{line}.substr(close + 1)};
    const auto user = fields.number(14), system = fields.number(15), start = fields.number(22);
    if (!user || !system || !start) return process;
    const auto ns_per_tick = 1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    process.time = {fields.at(3) == "R", (*user + *system) * ns_per_tick};
    process.start = *start;
    process.alive = true;
    return process;
}

std::vector<ProcessStats> read_all_stats() {
    std::vector<ProcessStats> all;
    for (const auto& directory : all_directories()) {
        for (const auto& name : list_folder(directory).names) {
            const auto path = path_in(directory, name);
            auto stats = parse_stats(read_bytes(path));
            if (!stats || name != std::to_string(stats->pid) + ".stats") continue;
            const auto process = read_process(stats->pid);
            if (process.alive && process.start == stats->start)
                all.push_back(std::move(*stats));
            else
                ::unlink(path.c_str());
        }
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
    return all;
}

}  // namespace octavo::instance
