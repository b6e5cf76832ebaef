#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "instance/stats_file.hpp"

/// The reader of statistics files: bytes of any length as they are, and the same laid over a good file, so that they get
/// past the first check.

namespace {

using namespace octavo::instance;

void check(std::span<const std::byte> bytes) {
    const auto stats = parse_stats(bytes);
    if (!stats) return;
    if (bytes.size() != sizeof(StatsFile) || stats->instances.size() > kStatsInstances) std::abort();
    if (std::any_of(stats->command.begin(), stats->command.end(), [](char c) { return c >= 0 && c < 0x20; }))
        std::abort();
    for (const auto& instance : stats->instances)
        if (instance.name.size() > sizeof StatsBlock::name) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check({reinterpret_cast<const std::byte*>(data), size});
    const auto file = std::make_unique<StatsFile>();
    std::memcpy(static_cast<void*>(&file->pid), data, std::min(size, sizeof *file - offsetof(StatsFile, pid)));
    file->magic = kStatsMagic;
    file->version = kStatsVersion;
    check(std::as_bytes(std::span{file.get(), 1}));
    return 0;
}
