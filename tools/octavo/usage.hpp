#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace octavo::cli {

inline constexpr int kExitOk = 0, kExitFailure = 1, kExitUsage = 2;

/// A mistake on the command line: one line that names it and says what to do. The program ends with kExitUsage.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What was asked for went wrong: one line. The program ends with kExitFailure.
class Failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// `; did you mean "name"?` with the name nearest to `wrong`, or "" where none is near (2 letters to change, or a third).
std::string did_you_mean(std::string_view wrong, std::span<const std::string> names);

/// A whole number from 1 to `max`; UsageError names the option.
std::size_t parse_count(std::string_view option, const std::string& text, std::size_t max);
/// A whole number from 0 to `max`; UsageError names the option.
std::size_t parse_index(std::string_view option, const std::string& text, std::size_t max);
/// Seconds, above 0 and at most an hour; UsageError names the option.
double parse_seconds(std::string_view option, const std::string& text);

}  // namespace octavo::cli
