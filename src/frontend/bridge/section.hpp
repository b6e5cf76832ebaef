#pragma once

#include <cstddef>
#include <string_view>

/// The section of the endpoint files that a front end takes part in, where nothing but the environment names one.
namespace octavo::bridge {

inline constexpr std::size_t kMaxSectionName = 31;
inline constexpr char kSectionNameRule[] = "1 to 31 letters, digits, \"_\" and \"-\" make one";

bool is_section_name(std::string_view name) noexcept;

/// A variable and its value; both null where there is none.
struct NamedByEnvironment {
    const char* variable = nullptr;
    const char* value = nullptr;
};
/// OCTAVO_SECTION, else QAT_SECTION_NAME, unless empty. None in set-user-ID programs. The value may be no section's name.
NamedByEnvironment section_of_environment() noexcept;

}  // namespace octavo::bridge
