#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace octavo {

/// Levenshtein distance: letters to insert, delete or replace.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name at the smallest distance from `wrong`, the first of equals; null where there are no names.
const std::string* nearest(std::string_view wrong, std::span<const std::string> names);

}  // namespace octavo
