#pragma once

#include <span>
#include <string>
#include <vector>

#include "speed/measure.hpp"
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

/// Runs one call and compares its results with OpenSSL's; Failure where one differs.
void check_first_batch(Side& side);

/// Which of the sides of a measurement are compared.
struct Pair {
    std::size_t octavo = 0, openssl = 1;
};
Result summarize(const Case& row, const Side& side, const Rounds& rounds, Pair pair);

std::span<const Layer> layers();
/// UsageError where there is none of that name.
const Layer& find_layer(const std::string& name);

}  // namespace octavo::cli
