#include "config/values.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

#include "base/nearest.hpp"

namespace octavo::config {

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string suggest(std::string_view wrong, std::span<const std::string> names) {
    const auto* best = nearest(wrong, names);
    return best == nullptr ? std::string{} : "; did you mean \"" + *best + "\"?";
}

std::optional<std::uint64_t> ValueReader::number(const Entry& entry, std::uint64_t min, std::uint64_t max) {
    const auto value = parse_number(entry.value);
    if (value && *value >= min && *value <= max) return value;
    complain_value(entry, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
}

std::optional<std::uint64_t> ValueReader::power_of_two(const Entry& entry, std::uint64_t min, std::uint64_t max) {
    const auto value = parse_number(entry.value);
    if (value && *value >= min && *value <= max && std::has_single_bit(*value)) return value;
    complain_value(entry, "a power of two from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
}

std::optional<std::size_t> ValueReader::word(const Entry& entry, std::span<const std::string> words) {
    const auto place = std::find(words.begin(), words.end(), entry.value);
    if (place != words.end()) return static_cast<std::size_t>(place - words.begin());
    std::string list;
    for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
    complain_value(entry, "one of " + list + suggest(entry.value, words));
    return std::nullopt;
}

bool ValueReader::first_time(const Entry& entry, const std::string& canonical) {
    const auto [place, is_new] = seen_.emplace(canonical, entry.line);
    if (!is_new) complain_key(entry, "was given in line " + std::to_string(place->second) + " already");
    return is_new;
}

void ValueReader::complain_value(const Entry& entry, const std::string& what) {
    add(entry.line, "[" + section_.name + "] " + entry.key + " = " + entry.value + ": " + what);
}

void ValueReader::complain_key(const Entry& entry, const std::string& what) {
    add(entry.line, "[" + section_.name + "] " + entry.key + ": " + what);
}

void ValueReader::complain(unsigned line, const std::string& what) { add(line, "[" + section_.name + "]: " + what); }

void ValueReader::complain_unknown(const Entry& entry, std::span<const std::string> known) {
    complain_key(entry, "no such key here" + suggest(entry.key, known));
}

}  // namespace octavo::config
