#pragma once

#include <string>
#include <vector>

namespace octavo::config {

/// What is wrong with a configuration, and where.
struct Error {
    std::string file;
    unsigned line;     ///< from 1; 0: the file as a whole
    std::string text;  ///< names section and key, what is wrong, and what would be right
};
using Errors = std::vector<Error>;

/// "octavo_dev0.conf:12: [SSL] NumProcesses = 5000: from 0 to 1024"
std::string to_string(const Error& error);

}  // namespace octavo::config
