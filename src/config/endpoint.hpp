#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config/document.hpp"
#include "device/cost.hpp"
#include "device/endpoint.hpp"

/// One endpoint as its file describes it: docs/man/octavo.conf.5 has the keys and their ranges.
namespace octavo::config {

inline constexpr unsigned kMaxEndpoints = device::kMaxEndpoints, kMaxProcesses = 1024, kMaxInstances = 256,
                          kMaxCore = 1023;
inline constexpr std::uint32_t kMaxRing = 4096;

enum Service : unsigned { kAsym = 1, kSym = 2, kDc = 4 };

enum class PollingMode { automatic, timer, event, external, heuristic, in_line };

struct General {
    unsigned services = kAsym | kSym;  ///< of Service
    std::uint32_t asym_requests = 64, sym_requests = 512;
    octavo_driver driver = OCTAVO_DRIVER_AUTO;
    std::uint32_t ring_size = 0;  ///< 0: as asym_requests says
    PollingMode polling_mode = PollingMode::automatic;
    std::uint64_t polling_interval_ns = 10'000;
    std::uint32_t event_timeout_ms = 1000;
    device::CostFigures costs;
    std::uint32_t hang_timeout_ms = 1000;
    bool allows_faults = false;
};

/// Cores `first` to `last`.
struct Cores {
    unsigned first, last;
};

/// IsPolled: 0 the descriptor says when, 1 the application or the front end polls, 2 epoll on the descriptor.
enum class Polled : unsigned { interrupt = 0, polled = 1, epoll = 2 };

struct GivenInstance {
    std::string name;
    Polled polled = Polled::polled;
    std::vector<Cores> cores;  ///< process i of the section takes element i modulo the number; none: any core
};

struct UserSection {
    std::string name;
    unsigned line = 0;
    unsigned num_processes = 1;
    bool limit_dev_access = false;
    bool checks_ecdsa = false;
    std::vector<GivenInstance> cy, dc;
};

/// A key that is known, and does nothing here.
struct Ignored {
    std::string section, key, value;
    unsigned line;
};

struct Endpoint {
    unsigned number = 0;
    std::string file;
    General general;
    std::vector<UserSection> sections;
    std::vector<Ignored> without_effect;
};

/// The number in `<device>_dev<N>.conf`, the last part of a path: 0 to kMaxEndpoints - 1; -1 where the name is not of that form.
int endpoint_number(const std::string& path);

/// Gives the sections of a document their meaning. With errors, what is returned is incomplete.
Endpoint read_endpoint(const Document& document, unsigned number, Errors& errors);

/// How many requests a ring of the endpoint's instances holds: RingSize, else CyNumConcurrentAsymRequests, at most kMaxRing.
std::uint32_t ring_size(const General& general) noexcept;

/// What the file says and will not come about as it says, a sentence each.
std::vector<std::string> notes(const Endpoint& endpoint);

const char* name(PollingMode mode) noexcept;
const char* name(octavo_driver driver) noexcept;
/// "cy", "sym;dc", ...: as ServicesEnabled has it.
std::string service_names(unsigned services);

}  // namespace octavo::config
