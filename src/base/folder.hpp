#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace octavo {

/// What is in a folder, without "." and "..", in no order. Where the folder cannot be read, `error` is the errno, else 0.
struct Listing {
    std::vector<std::string> names;
    int error = 0;
};
Listing list_folder(const std::string& folder);

/// The path of what is in a folder.
std::string path_in(const std::string& folder, std::string_view name);

}  // namespace octavo
