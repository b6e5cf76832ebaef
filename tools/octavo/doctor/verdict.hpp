#pragma once

#include <string>

namespace octavo::cli {

/// In order of gravity.
enum class Verdict { ok, warn, fail };
const char* verdict_name(Verdict verdict) noexcept;

/// One thing looked at.
struct Check {
    std::string name;  ///< short, stable: for programs that read the JSON
    Verdict verdict;
    std::string text;    ///< what is the case
    std::string advice;  ///< what to do about it; "" where nothing need be done
};

}  // namespace octavo::cli
