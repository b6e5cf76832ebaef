#pragma once

#include <span>
#include <string>
#include <vector>

#include "speed/operations.hpp"
#include "speed/result.hpp"

namespace octavo::cli {

/// What one row of the table needs to know.
struct Case {
    const Operation& operation;
    std::size_t depth;
    bool sync;  ///< layer provider: without jobs
};

/// A layer of Octavo at which an operation can be measured.
struct Layer {
    const char* name;
    const char* text;
    std::vector<std::size_t> depths;  ///< measured unless --depth says otherwise
    Result (*measure)(const Case&, double seconds, Progress&);
};

std::span<const Layer> layers();
/// UsageError where there is none of that name.
const Layer& find_layer(const std::string& name);

}  // namespace octavo::cli
