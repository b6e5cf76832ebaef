#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/error.hpp"

/// The outer form of an endpoint file: lines, comments, sections, `key = value`. What keys mean is endpoint.hpp's.
namespace octavo::config {

inline constexpr std::size_t kMaxFile = std::size_t{1} << 20;  ///< bytes
inline constexpr std::size_t kMaxLine = 1024;                  ///< bytes
inline constexpr std::size_t kMaxName = 31;                    ///< bytes of a section's name

struct Entry {
    std::string key, value;  ///< without quotes, spaces and comment
    unsigned line;
};

struct Section {
    std::string name;
    unsigned line;
    std::vector<Entry> entries;
};

struct Document {
    std::string file;
    std::vector<Section> sections;  ///< names are valid and different
};

/// Letters, digits, "_" and "-" alone.
bool has_name_characters(std::string_view text);
/// Letters, digits, "_" and "-", 1 to kMaxName of them.
bool is_section_name(std::string_view name);

/// Takes `text` apart. A line that cannot be read, a section that stands there twice, and a bad name go to `errors`; the rest is
/// returned all the same, so that one run finds every mistake.
Document read_document(std::string file, std::string_view text, Errors& errors);

/// The text of a regular file of at most kMaxFile bytes; "" and an error where it cannot be read.
std::string read_text(const std::string& file, Errors& errors);

}  // namespace octavo::config
