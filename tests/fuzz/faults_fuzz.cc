#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "instance/fault_file.hpp"
#include "instance/proc.hpp"
#include "require.hpp"

/// What processes read that others have written: the faults in a mapped file, where any bytes may stand at any time, and a process's line of
/// /proc, which holds the name that it gave itself.

namespace {

using fuzz::require;
using namespace octavo::instance;

void check(const Fault& fault) {
    require(fault.kind >= FaultKind::delay && fault.kind <= FaultKind::kill, "a kind that is none");
    require(fault.endpoint == Fault::kAnyEndpoint || fault.endpoint < octavo::device::kMaxEndpoints,
            "an endpoint out of range");
    require(fault.operation < octavo::device::kMaxOperations, "an operation out of range");
    require(fault.value <= kMaxFaultNs, "a time out of range");
}

void check_faults(const std::uint8_t* data, std::size_t size) {
    const auto file = std::make_unique<FaultFile>();
    std::memcpy(static_cast<void*>(&file->faults), data, std::min(size, sizeof file->faults));
    const auto faults = read_faults(*file);
    require(faults.size() <= kMaxFaults, "more faults than there is room for");
    for (const auto& fault : faults) check(fault);
    for (const auto& fault : faults) remove_fault(*file, fault);
    require(read_faults(*file).size() == 0, "a fault cannot be removed");
}

void check_process(const std::string& line) {
    const auto process = parse_process(line);
    require(process.command.size() <= line.size(), "a command from nowhere");
    require(process.alive || (process.start == 0 && process.time.cpu_ns == 0), "a start without a process");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check_faults(data, size);
    check_process({reinterpret_cast<const char*>(data), size});
    return 0;
}
