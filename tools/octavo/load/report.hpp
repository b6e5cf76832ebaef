#pragma once

#include <string>

#include "load/runner.hpp"

namespace octavo::cli::load {

/// One line: what is being done to whom.
std::string headline(const Plan& plan);
/// The figures for a terminal, several lines.
std::string to_text(const Result& result);
/// One JSON object; octavo-load(1) lists its keys.
std::string to_json(const Result& result);
/// A page with the figures and charts, complete in itself.
std::string to_html(const Result& result);
/// The line that replaces itself on a terminal.
std::string to_progress(const Sample& sample);

}  // namespace octavo::cli::load
