#include "speed/operations.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>

#include "speed/ciphers.hpp"
#include "speed/curves.hpp"
#include "speed/finite.hpp"
#include "speed/kdf.hpp"
#include "speed/rsa.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr const char* kAll = "all";

const std::vector<std::string>& handshake() {
    static const std::vector<std::string> names = {"rsa2048-private", "p256-sign", "x25519-derive", "x25519-keygen"};
    return names;
}

bool named_by(const Operation& operation, const std::string& argument) {
    const std::string_view name = operation.name();
    return argument == kAll || name == argument ||
           (!argument.empty() && name.starts_with(argument) && name[argument.size()] == '-');
}

void require_known(const std::string& argument) {
    const auto fits = [&](const Operation* operation) { return named_by(*operation, argument); };
    if (std::any_of(all_operations().begin(), all_operations().end(), fits)) return;
    std::vector<std::string> names;
    for (const auto* operation : all_operations()) names.emplace_back(operation->name());
    throw UsageError(fmt::format("unknown operation \"{}\"{} (\"octavo speed --list\" lists them)", argument,
                                 did_you_mean(argument, names)));
}

/// The best of three calls, after one to warm up.
double call_ns(Side& side) {
    using Clock = std::chrono::steady_clock;
    side.run(1);
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 3; ++i) {
        const auto start = Clock::now();
        side.run(1);
        best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    }
    return best;
}

[[noreturn]] void provider_alone(const char* name) {
    throw UsageError(fmt::format("{} is measured at the layer provider alone: --layer provider", name));
}

}  // namespace

SidePtr InPlaceOperation::kernel(std::size_t, RowChoice) const { provider_alone(name()); }
SidePtr InPlaceOperation::api(std::size_t) const { provider_alone(name()); }

SidePtr choose_row(SidePtr lanes, SidePtr ref, RowChoice choice) {
    if (lanes == nullptr) return ref;
    if (choice == RowChoice::cheapest && call_ns(*ref) < call_ns(*lanes)) return ref;
    return lanes;
}

std::string row_note(std::string_view row, std::size_t max_batch, std::size_t depth) {
    if (row == "ref") return "no lane row runs here (\"octavo info\" says why): the ref row is measured";
    if (depth > max_batch) return fmt::format("row {} takes {} at a time", row, max_batch);
    return {};
}

const Operations& all_operations() {
    static const Operations all = [] {
        Operations list = rsa_operations();
        for (const auto& more : {curve_operations(), finite_operations(), kdf_operations(), cipher_operations()})
            list.insert(list.end(), more.begin(), more.end());
        return list;
    }();
    return all;
}

Operations choose_operations(const std::vector<std::string>& arguments) {
    for (const auto& argument : arguments) require_known(argument);
    const auto& wanted = arguments.empty() ? handshake() : arguments;
    Operations chosen;
    for (const auto* operation : all_operations()) {
        const auto names_it = [&](const std::string& argument) { return named_by(*operation, argument); };
        if (std::any_of(wanted.begin(), wanted.end(), names_it)) chosen.push_back(operation);
    }
    return chosen;
}

}  // namespace octavo::cli
