#include "endpoints.hpp"

#include <fmt/format.h>

#include <iterator>

#include "instance/stats_file.hpp"

namespace octavo::cli {
namespace {

/// Whoever wrote the number.
const char* name_of(std::uint32_t state) noexcept {
    static constexpr const char* kNames[] = {"up", "restarting", "down"};  // by octavo_endpoint_state
    return state < std::size(kNames) ? kNames[state] : "?";
}

}  // namespace

std::vector<ProcessEndpoints> read_endpoints() {
    std::vector<ProcessEndpoints> all;
    for (const auto& process : instance::read_all_stats()) {
        auto& one = all.emplace_back(ProcessEndpoints{process.pid, process.command, {}});
        for (const auto& each : process.instances) one.states[each.endpoint] = name_of(each.state);
    }
    return all;
}

std::string to_words(const EndpointStates& states) {
    std::string words;
    for (const auto& [number, state] : states)
        words += fmt::format("{}{} {}", words.empty() ? "" : ", ", number, state);
    return words;
}

nlohmann::ordered_json to_json(const EndpointStates& states) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& [number, state] : states) list.push_back({{"endpoint", number}, {"state", state}});
    return list;
}

}  // namespace octavo::cli
