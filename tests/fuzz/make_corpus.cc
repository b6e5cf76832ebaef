#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "bytes.hpp"
#include "instance/fault_file.hpp"
#include "instance/stats_file.hpp"
#include "stock_keys.hpp"

/// Writes the seeds of the fuzz targets: make_corpus DIRECTORY makes a folder in it for each.

namespace {

using fuzz::Buffer;

void write(const std::filesystem::path& path, const Buffer& bytes) {
    std::ofstream file{path, std::ios::binary};
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// A whole key in the form that key_fuzz's arbitrary keys have.
Buffer as_fields(api_test::RsaParts parts) {
    Buffer seed = {0, static_cast<std::uint8_t>(parts.extra.size())};
    for (const auto* field : fuzz::fields_of(parts)) {
        seed.push_back(static_cast<std::uint8_t>(field->size() >> 8));
        seed.push_back(static_cast<std::uint8_t>(field->size()));
        seed.insert(seed.end(), field->begin(), field->end());
    }
    return seed;
}

void write_keys(const std::filesystem::path& directory) {
    for (std::size_t i = 0; i < fuzz::stock_keys().size(); ++i) {
        write(directory / ("fields" + std::to_string(i)), as_fields(fuzz::stock_keys()[i]));
        for (std::uint8_t kind = 0; kind < 8; ++kind)
            for (std::uint8_t field = 0; field < 8; ++field) {
                const auto name =
                    "mutated" + std::to_string(i) + '_' + std::to_string(kind) + '_' + std::to_string(field);
                write(directory / name, {1, static_cast<std::uint8_t>(i), field, 0, 5, kind, 3, 1, 9});
            }
    }
    for (std::uint8_t field = 0; field < 8; ++field)
        for (std::uint8_t kind = 0; kind < 4; ++kind)
            write(directory / ("lie" + std::to_string(field) + '_' + std::to_string(kind)),
                  {0x81, 0, 0, 0, 5, 3, 0, 0, field, kind, 0x20, 0, 0, 0, 0, 0, 0, 64});
}

/// Programs that begin with a key and an instance, so that what follows meets something real.
void write_programs(const std::filesystem::path& directory) {
    std::minstd_rand random{1};
    for (int i = 0; i < 64; ++i) {
        Buffer program = {0, static_cast<std::uint8_t>(i % 6), 0, 2, 0, 5, static_cast<std::uint8_t>(i % 8), 0, 3, 0};
        for (int n = 0; n < 200 + 8 * i; ++n) program.push_back(static_cast<std::uint8_t>(random() >> 8));
        write(directory / ("program" + std::to_string(i)), program);
    }
}

Buffer bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

/// Endpoint files, and two of them with a zero byte between.
void write_endpoints(const std::filesystem::path& directory) {
    const std::string general =
        "[GENERAL]\nServicesEnabled = cy;dc\nDriver = auto\nRingSize = 256\nCyNumConcurrentAsymRequests = 64\n"
        "CyNumConcurrentSymRequests = 512\nPollingMode = timer\nPollingIntervalNs = 10000\nEventTimeoutMs = "
        "20\nHangTimeoutMs = 500\nFaultInjection = 1\n"
        "ConfigVersion = 2\nstatsRsa = 1\n[KERNEL]\nNumberCyInstances = 0\nNumberDcInstances = 0\n";
    const std::string limited =
        "[SSL]\nNumProcesses = 4\nLimitDevAccess = 1\nNumCyInstances = 2\nCy0Name = \"SSL0\"\nCy0IsPolled = 1\n"
        "Cy0CoreAffinity = 0,2-3\nCy1Name = SSL1 # second\nNumDcInstances = 1\nDc0Name = Dc0\n";
    const std::string shared = "[IPsec]\nNumProcesses = 1\nLimitDevAccess = 0\nNumberCyInstances = 1\nCy0Name = I\n";
    write(directory / "general", bytes_of(general));
    write(directory / "limited", bytes_of(general + limited));
    write(directory / "two", bytes_of(general + limited + shared + '\0' + limited + shared));
}

/// What stats_fuzz lays over a good file, from the process's number on: the first block is in use.
void write_statistics(const std::filesystem::path& directory) {
    using octavo::instance::StatsFile;
    const auto file = std::make_unique<StatsFile>();
    file->blocks[0].live.store(1);
    constexpr auto kFirst = offsetof(StatsFile, pid), kLast = offsetof(StatsFile, blocks) + 64;
    Buffer bytes(kLast - kFirst);
    std::memcpy(bytes.data(), &file->pid, bytes.size());
    write(directory / "block", bytes);
}

/// What faults_fuzz lays over a good file's faults, which ends in a line of /proc/<pid>/stat.
void write_faults(const std::filesystem::path& directory) {
    using octavo::instance::FaultFile;
    const auto file = std::make_unique<FaultFile>();
    for (std::uint32_t i = 0; i < 5; ++i) {
        file->faults[i].is_set.store(1);
        file->faults[i].kind.store(i + 1);
        file->faults[i].endpoint.store(i % 2 == 0 ? UINT32_MAX : i);
        file->faults[i].value.store(1'000'000);
    }
    Buffer bytes(sizeof file->faults);
    std::memcpy(bytes.data(), &file->faults, bytes.size());
    write(directory / "faults", bytes);
    write(directory / "stat", bytes_of("77 (a) (b) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 7 8"));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fprintf(stderr, "usage: make_corpus DIRECTORY\n"), 2;
    const std::filesystem::path directory{argv[1]};
    for (const char* target : {"key", "api", "config", "stats", "faults"})
        std::filesystem::create_directories(directory / target);
    write_keys(directory / "key");
    write_programs(directory / "api");
    write_endpoints(directory / "config");
    write_statistics(directory / "stats");
    write_faults(directory / "faults");
    return 0;
}
