#include "frontend/bridge/section.hpp"

#include <stdlib.h>

#include <algorithm>

namespace octavo::bridge {

bool is_section_name(std::string_view name) noexcept {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= kMaxSectionName && std::all_of(name.begin(), name.end(), good);
}

NamedByEnvironment section_of_environment() noexcept {
    for (const char* variable : {"OCTAVO_SECTION", "QAT_SECTION_NAME"}) {
        const char* const value = secure_getenv(variable);
        if (value != nullptr && *value != '\0') return {variable, value};
    }
    return {};
}

}  // namespace octavo::bridge
