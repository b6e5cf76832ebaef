#pragma once

#include <octavo/octavo.h>

#include <string>
#include <vector>

#include "speed/layers.hpp"

namespace octavo::cli {

/// Polling modes as --polling names them: "default", "timer", ... or "all". UsageError names what is none.
using PollingModes = std::vector<octavo_polling_mode>;
PollingModes parse_polling_modes(const std::string& list);
const char* name(octavo_polling_mode mode) noexcept;

/// Whether whoever runs the jobs has to call octavo_polling_poll() now.
bool is_polled_by_the_application();

/// The layer provider in each of the modes and OpenSSL, all in the same rounds: a result for each mode, in that order. Where one of several is the
/// default, its result's note says how it compares with the best of the others.
std::vector<Result> measure_polling(const Case& row, const PollingModes& modes, double seconds, Progress& progress);

}  // namespace octavo::cli
