#include "usage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <vector>

namespace octavo::cli {
namespace {

constexpr double kMaxSeconds = 3600;

/// Levenshtein distance: letters to insert, delete or replace.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

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
    const std::string* best = nullptr;
    const std::size_t allowed = wrong.size() < 4 ? 1 : std::max<std::size_t>(2, wrong.size() / 3);
    std::size_t best_distance = allowed + 1;
    for (const auto& name : names) {
        const std::size_t d = distance(wrong, name);
        if (d >= best_distance) continue;
        best = &name;
        best_distance = d;
    }
    return best == nullptr ? std::string{} : fmt::format("; did you mean \"{}\"?", *best);
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
