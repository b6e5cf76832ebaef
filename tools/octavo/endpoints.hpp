#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// The endpoints of running processes, as these show them in their statistics files.
namespace octavo::cli {

/// "up", "restarting" or "down", by the endpoint's number.
using EndpointStates = std::map<std::uint32_t, std::string>;

struct ProcessEndpoints {
    std::uint32_t pid;
    std::string command;
    EndpointStates states;  ///< of endpoints on which it has an instance
};

/// Processes whose statistics this user may read, by pid.
std::vector<ProcessEndpoints> read_endpoints();

/// "0 up, 1 down"
std::string to_words(const EndpointStates& states);
/// A list of objects with `endpoint` and `state`.
nlohmann::ordered_json to_json(const EndpointStates& states);

}  // namespace octavo::cli
