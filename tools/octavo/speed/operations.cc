#include "speed/operations.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "speed/rsa.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr Operation kOperations[] = {
    {"rsa2048-private", "RSA-2048 m = c^d mod n, with CRT", &kRsa, 2048, true},
    {"rsa2048-public", "RSA-2048 c = m^65537 mod n", &kRsa, 2048, false},
    {"rsa3072-private", "RSA-3072 m = c^d mod n, with CRT", &kRsa, 3072, true},
    {"rsa3072-public", "RSA-3072 c = m^65537 mod n", &kRsa, 3072, false},
    {"rsa4096-private", "RSA-4096 m = c^d mod n, with CRT", &kRsa, 4096, true},
    {"rsa4096-public", "RSA-4096 c = m^65537 mod n", &kRsa, 4096, false},
};

bool named_by(const Operation& operation, const std::string& argument) {
    const std::string_view name = operation.name;
    return name == argument || name.substr(0, name.find('-')) == argument;
}

void require_known(const std::string& argument) {
    const auto fits = [&](const Operation& operation) { return named_by(operation, argument); };
    if (std::any_of(std::begin(kOperations), std::end(kOperations), fits)) return;
    std::vector<std::string> names;
    for (const auto& operation : kOperations) names.emplace_back(operation.name);
    throw UsageError(fmt::format("unknown operation \"{}\"{} (\"octavo speed --list\" lists them)", argument,
                                 did_you_mean(argument, names)));
}

}  // namespace

std::span<const Operation> operations() noexcept { return kOperations; }

std::vector<const Operation*> choose_operations(const std::vector<std::string>& arguments) {
    for (const auto& argument : arguments) require_known(argument);
    std::vector<const Operation*> chosen;
    for (const auto& operation : kOperations) {
        const auto names_it = [&](const std::string& argument) { return named_by(operation, argument); };
        if (arguments.empty() || std::any_of(arguments.begin(), arguments.end(), names_it))
            chosen.push_back(&operation);
    }
    return chosen;
}

}  // namespace octavo::cli
