#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace octavo::cli {

/// A subcommand: what CLI11 parses it into, and what runs after parsing; `run` returns the exit code, and may throw
/// UsageError and Failure.
struct Command {
    CLI::App* app;
    std::function<int()> run;
};

Command add_info(CLI::App& parent);
Command add_speed(CLI::App& parent);
Command add_doctor(CLI::App& parent);
Command add_load(CLI::App& parent);
Command add_config(CLI::App& parent);
Command add_sections(CLI::App& parent);
Command add_fault(CLI::App& parent);

}  // namespace octavo::cli
