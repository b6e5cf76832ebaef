#include "usage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/nearest.hpp"

namespace octavo::cli {
namespace {

constexpr double kMaxSeconds = 3600;

template <typename Number>
bool parse_whole(const std::string& text, Number& number) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end;
}

std::size_t parse_range(std::string_view option, const std::string& text, std::size_t min, std::size_t max) {
    std::size_t number = 0;
    if (parse_whole(text, number) && number >= min && number <= max) return number;
    throw UsageError(fmt::format("{} takes whole numbers from {} to {}, not \"{}\"", option, min, max, text));
}

}  // namespace

std::string did_you_mean(std::string_view wrong, std::span<const std::string> names) {
    const auto* best = nearest(wrong, names);
    const std::size_t allowed = wrong.size() < 4 ? 1 : std::max<std::size_t>(2, wrong.size() / 3);
    if (best == nullptr || edit_distance(wrong, *best) > allowed) return {};
    return fmt::format("; did you mean \"{}\"?", *best);
}

std::size_t parse_count(std::string_view option, const std::string& text, std::size_t max) {
    return parse_range(option, text, 1, max);
}

std::size_t parse_index(std::string_view option, const std::string& text, std::size_t max) {
    return parse_range(option, text, 0, max);
}

double parse_seconds(std::string_view option, const std::string& text) {
    double seconds = 0;
    if (parse_whole(text, seconds) && std::isfinite(seconds) && seconds > 0 && seconds <= kMaxSeconds) return seconds;
    throw UsageError(
        fmt::format("{} takes a time in seconds above 0 and at most {}, not \"{}\"", option, kMaxSeconds, text));
}

}  // namespace octavo::cli
