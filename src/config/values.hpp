#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.hpp"

namespace octavo::config {

/// A whole decimal number; nothing for anything else.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// Reads the entries of one section, and words what is wrong with them.
class ValueReader {
public:
    ValueReader(const Document& document, const Section& section, Errors& errors)
        : file_(document.file), section_(section), errors_(errors) {}

    const Section& section() const noexcept { return section_; }

    /// The readers answer nothing where they have complained.
    std::optional<std::uint64_t> number(const Entry& entry, std::uint64_t min, std::uint64_t max);
    std::optional<std::uint64_t> power_of_two(const Entry& entry, std::uint64_t min, std::uint64_t max);
    /// The place of the value in `words`.
    std::optional<std::size_t> word(const Entry& entry, std::span<const std::string> words);

    /// True the first time for a key; later ones are an error. `canonical` is its name without synonyms.
    bool first_time(const Entry& entry, const std::string& canonical);

    /// "[SSL] NumProcesses = 5: what", at the entry's line.
    void complain_value(const Entry& entry, const std::string& what);
    /// "[SSL] NumProcesses: what", at the entry's line.
    void complain_key(const Entry& entry, const std::string& what);
    /// "[SSL]: what"
    void complain(unsigned line, const std::string& what);
    /// Names the nearest of `known`.
    void complain_unknown(const Entry& entry, std::span<const std::string> known);

private:
    void add(unsigned line, const std::string& text) { errors_.push_back({file_, line, text}); }

    const std::string& file_;
    const Section& section_;
    Errors& errors_;
    std::map<std::string, unsigned> seen_;
};

/// `; did you mean "name"?` with the nearest name, or "" where there are none.
std::string suggest(std::string_view wrong, std::span<const std::string> names);

}  // namespace octavo::config
